import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent, type CloudEvent } from '@centralita/contracts';
import type { MemoryLog } from '@centralita/event-log';
import { createDataSource, Database, eventStoreMigrations } from '@centralita/event-store';
import { Keyring, keyringMigrations } from '@centralita/keyring';
import { runMigrations } from '@centralita/platform-nest';
import { createTestDatabase, type TestDatabase } from '@centralita/testing-engines';
import { ingestMigration } from './migration.js';

export type IngestFixture = {
  readonly database: TestDatabase;
  readonly keyringDatabase: TestDatabase;
  readonly db: Database;
  readonly keyring: Keyring;
  readonly masterKey: Buffer;
  /** A folder of its own, for objects and the apps file. */
  readonly folder: string;
  close(): Promise<void>;
};

/** Real databases, migrated as in production, for one spec. */
export const ingestFixture = async (): Promise<IngestFixture> => {
  const database = await createTestDatabase({ service: 'ingest' });
  const keyringDatabase = await createTestDatabase({ service: 'keyring' });
  await runMigrations({ url: database.ownerUrl, migrations: [...eventStoreMigrations, ingestMigration] });
  await runMigrations({ url: keyringDatabase.ownerUrl, migrations: keyringMigrations });
  const masterKey = randomBytes(32);
  const db = new Database(createDataSource({ url: database.appUrl }));
  const keyring = await Keyring.open({ databaseUrl: keyringDatabase.appUrl, masterKey });
  const folder = await mkdtemp(join(tmpdir(), 'ingest-'));
  return {
    database,
    keyringDatabase,
    db,
    keyring,
    masterKey,
    folder,
    close: async () => {
      await db.close();
      await keyring.close();
      await database.drop();
      await keyringDatabase.drop();
      await rm(folder, { recursive: true });
    },
  };
};

export type TestApp = {
  readonly app: string;
  readonly tenantId: string;
  readonly verifyToken: string;
  readonly secrets: { readonly current: string; readonly previous?: string };
  readonly accessToken: string;
  readonly numbers: readonly { readonly phoneNumberId: string; readonly wabaId: string }[];
};

export const testApp = (app: string, number: string): TestApp => ({
  app,
  tenantId: randomUUID(),
  verifyToken: `verify-${app}`,
  secrets: { current: `current-${app}`, previous: `previous-${app}` },
  accessToken: `token-${app}`,
  numbers: [{ phoneNumberId: number, wabaId: `waba-${app}` }],
});

export const writeApps = async (folder: string, apps: readonly TestApp[]): Promise<string> => {
  const path = join(folder, 'apps.json');
  await writeFile(path, JSON.stringify({ apps }));
  return path;
};

/** Events of a topic of the log in memory, partition by partition. A record that breaks its contract fails the test. */
export const eventsOn = (log: MemoryLog, topic: string): CloudEvent[] =>
  log.records(topic).map((record) => {
    const decoded = decodeEvent(record.value);
    if ('problem' in decoded) throw new Error(`${decoded.problem}: ${decoded.detail}`);
    if (record.key?.toString() !== decoded.event.subject) throw new Error('the record key is not the event’s stream');
    return decoded.event;
  });
