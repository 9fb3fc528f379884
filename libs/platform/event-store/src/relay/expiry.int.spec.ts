import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import pg from 'pg';
import { Commands } from '../commands.js';
import { EventStore } from '../event-store.js';
import { feed, feedHead } from '../feed.js';
import { fixture, identified, newId, type Fixture } from '../support.spec.js';
import { Outbox } from './outbox.js';
import { Relay } from './relay.js';

const topic = 'conversation.events.v1';

describe('what is kept only for a while', () => {
  let f: Fixture;
  let relay: pg.Client;
  let outbox: Outbox;
  const store = new EventStore({ service: 'conversation' });
  const tenant = newId();

  beforeAll(async () => {
    f = await fixture();
    relay = new pg.Client({ connectionString: f.database.relayUrl });
    await relay.connect();
    outbox = new Outbox(f.database.relayUrl);
  });
  afterAll(async () => {
    await relay.end();
    await outbox.close();
    await f.end();
  });

  const count = async (table: string): Promise<number> => {
    const { rows } = await f.admin.query<{ n: string }>(`select count(*) n from ${table}`);
    return Number(rows[0]?.n);
  };
  const command = (commandId: string): Promise<{ replayed: boolean }> =>
    new Commands(f.db).run({ tenantId: tenant, commandId, digest: 'same', work: async () => 'done' });

  it('forgets commands after a week, some at a time, and shows the relay no others', async () => {
    for (const id of ['old-1', 'old-2', 'old-3', 'new']) await command(id);
    await f.admin.query(`update command set created_at = now() - interval '8 days' where command_id like 'old%'`);
    const seen = await relay.query<{ command_id: string }>('select command_id from command order by 1');
    expect(seen.rows.map(({ command_id }) => command_id)).toEqual(['old-1', 'old-2', 'old-3']);
    await expect(relay.query('select result from command')).rejects.toMatchObject({ code: '42501' });

    expect(await outbox.removeExpired(2)).toBe(2);
    expect(await outbox.removeExpired(2)).toBe(1);
    expect(await outbox.removeExpired(2)).toBe(0);
    expect([(await command('new')).replayed, (await command('old-1')).replayed]).toEqual([true, false]);
  });

  it('is removed by the relay beside its passes', async () => {
    await command('old-again');
    await f.admin.query(`update command set created_at = now() - interval '8 days' where command_id = 'old-again'`);
    const options = { url: f.database.relayUrl, log: createMemoryLog(), service: 'conversation' as const, topics: [] };
    const sut = new Relay({ ...options, expiryMs: 20 });
    sut.start();
    await until(async () => (await relay.query('select command_id from command')).rows.length === 0);
    await sut.stop();
  });

  it('forgets pointers after a week, and refuses the cursors that they would be missing from', async () => {
    const key = newId();
    const publish = async (events: number): Promise<void> => {
      await f.db.withTenant(tenant, (tx) =>
        store.append(
          tx,
          topic,
          Array.from({ length: events }, () => identified(key, newId(), 0)),
        ),
      );
      const sut = new Relay({ url: f.database.relayUrl, log: createMemoryLog(), service: 'conversation', topics: [topic] });
      sut.start();
      await until(async () => (await sut.outbox()).depth === 0);
      await sut.stop();
    };
    const read = (cursor: string | null) => f.db.withTenant(tenant, (tx) => feed(tx, topic, cursor, 100));
    const beginning = await f.db.withTenant(tenant, (tx) => feedHead(tx, topic));
    await publish(5);
    const middle = await f.db.withTenant(tenant, (tx) => feedHead(tx, topic));
    await f.admin.query('alter table events disable trigger events_immutable');
    await f.admin.query(`update events set recorded_at = now() - interval '8 days' where key = $1`, [key]);
    await f.admin.query('alter table events enable trigger events_immutable');
    await publish(3);
    expect((await read(beginning)).items).toHaveLength(8);

    expect(await outbox.removeExpired(100)).toBe(5);
    expect(await count('feed_entry')).toBe(3);
    expect(await outbox.removeExpired(100)).toBe(0);
    await expect(read(beginning)).rejects.toMatchObject({ code: 'CURSOR_GONE' });
    await expect(read('nothing')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await read(middle)).items).toHaveLength(3);
    expect((await read(null)).items).toHaveLength(3);
    // A database that was put back gave more once than it knows now, in a bucket that it has and in one that it has not yet.
    const bucket =
      Object.entries(JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, string>)[0]?.[0] ?? '';
    for (const ahead of [{ [bucket]: '9' }, { [bucket === '0' ? '1' : '0']: '1' }]) {
      const cursor = Buffer.from(JSON.stringify(ahead)).toString('base64url');
      await expect(read(cursor)).rejects.toMatchObject({ code: 'CURSOR_GONE' });
    }
  });
});
