import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventBatch, EventLog, TopicHandler } from '@centralita/event-log';
import { EventStore } from './event-store.js';
import { batchOf, eventOf, facts, middlewareOf, none, put, smallLog, stored } from './inbox/support.spec.js';
import { rebuildProjection } from './rebuild.js';
import { tenantTable } from './schema/tenant-table.js';
import { fixture, identified, newId, type Fixture } from './support.spec.js';
import type { Tx } from './types.js';

type Row = { tenant_id: string; key: string; events: number; last: string };

describe(rebuildProjection.name, () => {
  let f: Fixture;
  const store = new EventStore({ service: 'conversation' });
  beforeAll(async () => {
    f = await fixture({
      tables: (owner) =>
        owner.system(async (tx) => {
          await tx.query(`create table tally (tenant_id uuid not null, key uuid not null, id bigint generated always as identity,
            events int not null, last uuid not null, twice int generated always as (events * 2) stored, primary key (tenant_id, key))`);
          for (const statement of tenantTable('tally')) await tx.query(statement);
        }),
    });
  });
  afterAll(() => f.end());

  const count = async (batch: EventBatch): Promise<void> => {
    for (const { event, key } of batch.events)
      await (batch.tx as Tx).execute(
        `insert into tally as t (tenant_id, key, events, last) values ($1, $2, 1, $3)
         on conflict (tenant_id, key) do update set events = t.events + 1, last = excluded.last`,
        [batch.tenantId, key, event.id],
      );
  };
  const handlers = (handle = count): ReadonlyMap<string, TopicHandler> =>
    new Map([stored, facts].map((topic) => [topic, { handle, ignored: none }]));
  const rows = async (keys: string[]): Promise<Row[]> =>
    (
      await f.admin.query<Row>(`select tenant_id, key, events, last from tally where key = any ($1) order by tenant_id, key`, [
        keys,
      ])
    ).rows;
  const leftOvers = async (): Promise<unknown[]> =>
    (
      await f.admin.query<{ nspname: string }>(
        `select nspname from pg_namespace where nspname like 'rebuild%' union all select group_id from key_watermark where group_id like 'rebuild%' union all select group_id from inbox where group_id like 'rebuild%'`,
      )
    ).rows;

  it('gives the same rows again: several tenants, duplicates, parked keys, and what comes meanwhile', async () => {
    // given: a projection that live has filled, with a parked key and duplicates
    const [log, groupId] = [smallLog(), newId()];
    const [t1, t2, k1, k2, bad] = [newId(), newId(), newId(), newId(), newId()];
    const fact = eventOf({ tenant: t2, key: k2 });
    const first = eventOf({ tenant: t1, key: k1, version: 1 });
    const poison = eventOf({ tenant: t1, key: bad, version: 1 });
    await put(
      log,
      stored,
      first,
      first,
      eventOf({ tenant: t1, key: k1, version: 2 }),
      poison,
      eventOf({ tenant: t1, key: bad, version: 2 }),
    );
    await put(log, facts, fact, eventOf({ tenant: t2, key: k2 }), fact);
    const live = middlewareOf(f.db, log, groupId);
    const handle = async (batch: EventBatch): Promise<void> => {
      if (batch.events.some(({ event }) => event.id === poison.id)) throw new TypeError('a bug');
      await count(batch);
    };
    await live(batchOf(log, stored), handle, none);
    await live(batchOf(log, facts), handle, none);
    const keys = [k1, k2, bad];
    const before = await rows(keys);
    expect(before.map(({ key, events }) => [key, events]).sort()).toEqual(
      [
        [k1, 2],
        [k2, 2],
      ].sort(),
    );

    // when: rows were damaged, and an event arrives between the replay and the exchange
    await f.admin.query(`update tally set events = 99`);
    await f.admin.query(`insert into tally (tenant_id, key, events, last) values ($1, $2, 1, $2)`, [t1, newId()]);
    const late = eventOf({ tenant: t1, key: k1, version: 3 });
    let reads = 0;
    const busy: EventLog = {
      ...log,
      read: async (ranges, onRecords) => {
        await log.read(ranges, onRecords);
        reads += 1;
        if (reads === 1) {
          await put(log, stored, late);
          await live(batchOf(log, stored, 5), handle, none);
        }
      },
    };
    const options = { db: f.owner, log: busy, store, projection: 'tally', tables: ['tally'], groupId, handlers: handlers() };
    const rebuilt = await rebuildProjection(options);

    // then
    expect(rebuilt).toEqual({ records: 9, events: 5, rows: 2n });
    expect(await rows(keys)).toEqual(before.map((row) => (row.key === k1 ? { ...row, events: 3, last: late.id } : row)));
    expect(await leftOvers()).toEqual([]);
    const { rows: told } = await f.admin.query(`select data->>'rows' n from events where type = 'projection.rebuilt.v1'`);
    expect(told).toEqual([{ n: '2' }]);
    // live goes on, identities included, and row-level security is as it was
    await put(log, stored, eventOf({ tenant: t1, key: newId(), version: 1 }));
    await live(batchOf(log, stored, 6), handle, none);
    const { rows: security } = await f.admin.query(`select relforcerowsecurity f from pg_class where oid = 'tally'::regclass`);
    expect(security).toEqual([{ f: true }]);
    expect(await f.db.system((tx) => tx.query('select * from tally'))).toEqual([]);
  });

  it('leaves the serving rows alone when a handler fails or tries to decide', async () => {
    const [log, groupId, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key, version: 1 }));
    await middlewareOf(f.db, log, groupId)(batchOf(log, stored), count, none);
    const before = await rows([key]);
    const options = { db: f.owner, log, store, projection: 'tally', tables: ['tally'], groupId };
    const decides = async (batch: EventBatch): Promise<void> => {
      await store.append(batch.tx as Tx, 'conversation.events.v1', [identified(key, newId(), 0)]);
    };
    await expect(rebuildProjection({ ...options, handlers: handlers(decides) })).rejects.toMatchObject({ code: 'INTERNAL' });
    const broken = async (batch: EventBatch): Promise<void> => {
      await count(batch);
      throw new Error('half way');
    };
    await expect(rebuildProjection({ ...options, handlers: handlers(broken) })).rejects.toThrow('half way');
    expect(await rows([key])).toEqual(before);
    expect(await leftOvers()).toEqual([]);
  });
});
