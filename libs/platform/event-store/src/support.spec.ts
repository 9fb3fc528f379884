import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@centralita/testing-engines';
import pg from 'pg';
import { createDataSource, Database } from './database.js';
import { eventStoreMigrations } from './schema/migrations.js';
import type { NewEvent } from './types.js';

export type Fixture = {
  readonly database: TestDatabase;
  /** As a service sees it: the application role. */
  readonly db: Database;
  readonly admin: pg.Pool;
  readonly owner: Database;
  end(): Promise<void>;
};

/** A migrated database of its own, with its three roles. */
export const fixture = async (
  options: { poolSize?: number; tables?: (owner: Database) => Promise<void> } = {},
): Promise<Fixture> => {
  const database = await createTestDatabase({ service: 'store' });
  const owner = new Database(createDataSource({ url: database.ownerUrl, poolSize: 2, migrations: eventStoreMigrations }));
  await owner.migrate();
  await options.tables?.(owner);
  const db = new Database(createDataSource({ url: database.appUrl, poolSize: options.poolSize ?? 10 }));
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 3 });
  admin.on('error', () => undefined);
  return {
    database,
    db,
    admin,
    owner,
    end: async () => {
      await Promise.all([db.close(), owner.close(), admin.end()]);
      await database.drop();
    },
  };
};

export const identified = (key: string, streamId: string, expectedVersion: number | 'any', id?: string): NewEvent => ({
  key,
  streamId,
  expectedVersion,
  type: 'contact.identified.v1',
  data: { contactId: streamId, subjectId: key },
  ...(id === undefined ? {} : { id }),
});

export const newId = (): string => randomUUID();
