import { randomUUID } from 'node:crypto';
import { createDataSource } from '@centralita/event-store';
import { createTestDatabase, type TestDatabase } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { conversationService } from '../service.js';
import { ThreadOrder1763880100000 } from './thread-order.js';

const migrations = conversationService.migrations ?? [];
let database: TestDatabase;
let sql: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase({ service: 'conversation' });
  sql = new pg.Pool({ connectionString: database.adminUrl, max: 1 });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

const migrate = async (classes: typeof migrations): Promise<string[]> => {
  const dataSource = createDataSource({ url: database.ownerUrl, poolSize: 1, migrations: [...classes] });
  await dataSource.initialize();
  try {
    return (await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
};
const undo = async (): Promise<void> => {
  const dataSource = createDataSource({ url: database.ownerUrl, poolSize: 1, migrations: [...migrations] });
  await dataSource.initialize();
  try {
    await dataSource.undoLastMigration({ transaction: 'each' });
  } finally {
    await dataSource.destroy();
  }
};

describe('the schema of conversation', () => {
  it('gives the lines of the release before a place, of every tenant, and takes it back', async () => {
    // given rows of two tenants, written before lines had places
    await migrate(migrations.filter((migration) => migration !== ThreadOrder1763880100000));
    const at = new Date('2026-11-23T10:00:05.000Z');
    const tenants = [randomUUID(), randomUUID()];
    for (const tenant of tenants) {
      await sql.query(
        `insert into conversation (tenant_id, conversation_id, subject_id, phone_number_id, contact_id, ordinal, status, opened_at,
           outbound_version, stream_version, unread, last_at, last_position, last_kind)
         values ($1, $1, $1, '100', $1, 1, 'open', $2, 0, 2, 1, $2, 2, 'in')`,
        [tenant, at],
      );
      await sql.query(
        `insert into thread_item (tenant_id, conversation_id, item_id, kind, at, position) values ($1, $1, 'ref', 'inbound', $2, 2)`,
        [tenant, at],
      );
    }
    // when
    expect(await migrate(migrations)).toEqual(['ThreadOrder1763880100000']);
    // then
    const places = () =>
      sql.query(`select i.placed_at, c.thread_at from thread_item i join conversation c using (tenant_id, conversation_id)`);
    expect((await places()).rows).toEqual(tenants.map(() => ({ placed_at: at, thread_at: at })));
    const { rows } = await sql.query(
      `select relforcerowsecurity as forced from pg_class where relname in ('conversation', 'thread_item')`,
    );
    expect(rows).toEqual([{ forced: true }, { forced: true }]);
    // and back, and forth again
    await undo();
    await migrate(migrations);
    expect((await places()).rows).toHaveLength(2);
  });
});
