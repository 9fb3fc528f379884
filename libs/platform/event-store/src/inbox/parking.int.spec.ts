import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import type { EventBatch, TopicHandler } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { z } from 'zod';
import { EventStore } from '../event-store.js';
import { PLATFORM_TENANT } from '../lane.js';
import { newId, type Fixture } from '../support.spec.js';
import { listParked, retryParked, skipParked } from './operate.js';
import { parkedKeyOf, parkedPage } from './parked-page.js';
import {
  applied,
  batchOf,
  eventOf,
  facts,
  inboxFixture,
  middlewareOf,
  nextOffset,
  none,
  operations,
  put,
  smallLog,
  somebodyWaits,
  stored,
  writeApplied,
} from './support.spec.js';

describe('parking', () => {
  let f: Fixture;
  const store = new EventStore({ service: 'conversation' });
  const actorId = newId();
  beforeAll(async () => {
    f = await inboxFixture();
  });
  afterAll(() => f.end());

  const handlersOf = (group: string): ReadonlyMap<string, TopicHandler> =>
    new Map([stored, facts].map((topic) => [topic, { handle: writeApplied(group), ignored: none }]));
  const failOn =
    (group: string, ids: ReadonlySet<string>, error: () => Error) =>
    async (batch: EventBatch): Promise<void> => {
      for (const consumed of batch.events) {
        if (ids.has(consumed.event.id)) throw error();
        await writeApplied(group)({ ...batch, events: [consumed] });
      }
    };

  it('parks the key of each kind of poison, lets the others go on, and says so in an event', async () => {
    const [log, group] = [smallLog(), newId()];
    const [t1, t2] = [newId(), newId()];
    const [invalid, unknown, raw, thrown, good1, good2] = [newId(), newId(), newId(), newId(), newId(), newId()];
    const poison = eventOf({ tenant: t2, key: thrown, version: 1 });
    await put(
      log,
      stored,
      eventOf({ tenant: t1, key: good1, version: 1 }),
      eventOf({ tenant: t1, key: invalid, version: 1, data: { contactId: 'no' } }),
      eventOf({ tenant: t2, key: unknown, version: 1, type: 'thing.of.tomorrow.v9' }),
      poison,
      { key: raw, raw: '{ not json' },
      eventOf({ tenant: t2, key: good2, version: 1 }),
      eventOf({ tenant: t1, key: good1, version: 2 }),
      eventOf({ tenant: t2, key: thrown, version: 2 }),
    );
    const handle = failOn(group, new Set([poison.id]), () => new PlatformError('ERASED', 'never'));
    await middlewareOf(f.db, log, group)(batchOf(log, stored), handle, none);

    expect((await applied(f, group)).map(({ key, tenant }) => [key, tenant])).toEqual([
      [good1, t1],
      [good2, t2],
      [good1, t1],
    ]);
    expect(await nextOffset(f, group, stored)).toBe(8);
    const parked = await listParked(f.db, group);
    expect(new Map(parked.map(({ key, code }) => [key, code]))).toEqual(
      new Map([
        [invalid, 'RECORD_INVALID'],
        [unknown, 'EVENT_UNKNOWN'],
        [raw, 'RECORD_INVALID'],
        [thrown, 'ERASED'],
      ]),
    );
    const events = await operations(f, 'record.parked.v1', group);
    expect(events.map(({ tenant, data }) => [tenant, data['recordKey'], data['code'], data['offset']]).sort()).toEqual(
      [
        [t1, invalid, 'RECORD_INVALID', '1'],
        [t2, unknown, 'EVENT_UNKNOWN', '2'],
        [t2, thrown, 'ERASED', '3'],
        [PLATFORM_TENANT, raw, 'RECORD_INVALID', '4'],
      ].sort(),
    );
  });

  it('holds later records of the key back on every topic of the group, and of no other group', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const bad = eventOf({ tenant, key, version: 1 });
    await put(log, stored, bad);
    await put(log, facts, eventOf({ tenant, key }), eventOf({ tenant, key: newId() }));
    const sut = middlewareOf(f.db, log, group);
    const handle = failOn(group, new Set([bad.id]), () => new z.ZodError([]));
    await sut(batchOf(log, stored), handle, none);
    await sut(batchOf(log, facts), handle, none);
    expect((await applied(f, group)).map((row) => row.key === key)).toEqual([false]);
    const other = newId();
    await middlewareOf(f.db, log, other)(batchOf(log, facts), writeApplied(other), none);
    expect(await applied(f, other)).toHaveLength(2);
  });

  it('does not let a batch of another topic overtake the parking of its key', async () => {
    // given: a batch that is about to park the key, and one with a later record of it on another topic
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const bad = eventOf({ tenant, key, version: 1 });
    await put(log, stored, bad, eventOf({ tenant, key: newId(), version: 1 }));
    await put(log, facts, eventOf({ tenant, key }));
    const sut = middlewareOf(f.db, log, group);
    let careful = false;
    let late: Promise<void> | undefined;
    const handle = async (batch: EventBatch): Promise<void> => {
      if (batch.events.some(({ event }) => event.id === bad.id)) {
        // the second time it runs under the lock of the group
        if (careful) {
          let done = false;
          late = sut(batchOf(log, facts), writeApplied(group), none).finally(() => (done = true));
          await until(async () => done || (await somebodyWaits(f)));
        }
        careful = true;
        throw new TypeError('a bug');
      }
      await writeApplied(group)(batch);
    };
    await sut(batchOf(log, stored), handle, none);
    await late;
    expect(late).toBeDefined();
    expect((await applied(f, group)).some((row) => row.key === key)).toBe(false);
    expect(await nextOffset(f, group, facts)).toBe(1);
  });

  it('retries in order across topics, stops at what fails again, and frees the key at the end', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const [first, second, fact, third] = [
      eventOf({ tenant, key, version: 1 }),
      eventOf({ tenant, key, version: 2 }),
      eventOf({ tenant, key }),
      eventOf({ tenant, key, version: 3 }),
    ];
    await put(log, stored, first, second);
    await put(log, facts, fact);
    const sut = middlewareOf(f.db, log, group);
    const broken = failOn(group, new Set([first.id, fact.id]), () => new RangeError('a bug'));
    await sut(batchOf(log, stored), broken, none);
    await sut(batchOf(log, facts), broken, none);
    const options = { db: f.db, groupId: group, store, key, actorId };

    const asBefore = new Map([stored, facts].map((topic) => [topic, { handle: broken, ignored: none }]));
    const again = await retryParked({ ...options, handlers: asBefore });
    expect(again).toEqual({ applied: 0, blocked: 'INTERNAL' });
    const half = failOn(group, new Set([fact.id]), () => new PlatformError('ERASED', 'no'));
    const handlers = new Map([stored, facts].map((topic) => [topic, { handle: half, ignored: none }]));
    expect(await retryParked({ ...options, handlers })).toEqual({ applied: 2, blocked: 'ERASED' });
    // still parked: what comes now waits as well
    await put(log, stored, third);
    await sut(batchOf(log, stored, 2), writeApplied(group), none);
    expect((await applied(f, group)).map(({ id }) => id)).toEqual([first.id, second.id]);

    expect(await retryParked({ ...options, handlers: handlersOf(group) })).toEqual({ applied: 2, blocked: null });
    expect((await applied(f, group)).map(({ id }) => id)).toEqual([first.id, second.id, fact.id, third.id]);
    expect(await listParked(f.db, group)).toEqual([]);
    const retried = await operations(f, 'record.retried.v1', group);
    expect(retried.map(({ data }) => [data['topic'], data['offset'], data['actorId']])).toEqual([
      [stored, '0', actorId],
      [facts, '0', actorId],
    ]);
    // and the key is live again, duplicates included
    await put(log, stored, third, eventOf({ tenant, key, version: 4 }));
    await sut(batchOf(log, stored, 3), writeApplied(group), none);
    expect(await applied(f, group)).toHaveLength(5);
    await expect(retryParked({ ...options, handlers: handlersOf(group) })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('skips a record and goes on behind it, whether its version can be read or not', async () => {
    const [log, group, tenant, k1, k2] = [smallLog(), newId(), newId(), newId(), newId()];
    await put(
      log,
      stored,
      eventOf({ tenant, key: k1, version: 1, data: {} }),
      eventOf({ tenant, key: k2, version: 1 }),
      { key: k2, raw: 'rubbish in the place of version 2' },
      eventOf({ tenant, key: k1, version: 2 }),
    );
    const sut = middlewareOf(f.db, log, group);
    await sut(batchOf(log, stored), writeApplied(group), none);
    const options = { db: f.db, groupId: group, store, actorId, handlers: handlersOf(group) };
    expect(await skipParked({ ...options, key: k1 })).toEqual({ applied: 1, blocked: null });
    expect(await skipParked({ ...options, key: k2 })).toEqual({ applied: 0, blocked: null });
    await put(log, stored, eventOf({ tenant, key: k1, version: 3 }), eventOf({ tenant, key: k2, version: 3 }));
    await sut(batchOf(log, stored, 4), writeApplied(group), none);
    const count = (key: string, rows: { key: string }[]): number => rows.filter((row) => row.key === key).length;
    const rows = await applied(f, group);
    expect([count(k1, rows), count(k2, rows)]).toEqual([2, 2]);
    expect(await operations(f, 'record.skipped.v1', group)).toHaveLength(2);
  });

  it('keeps the order of a key whose records are of two tenants, because one names none', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(
      log,
      stored,
      eventOf({ tenant, key, version: 1, data: {} }),
      { key, raw: 'rubbish behind it' },
      eventOf({ tenant, key, version: 2 }),
    );
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    const options = { db: f.db, groupId: group, store, key, actorId, handlers: handlersOf(group) };
    expect(await skipParked(options)).toEqual({ applied: 0, blocked: 'RECORD_INVALID' });
    const skipped = await operations(f, 'record.skipped.v1', group);
    expect(skipped.map(({ tenant, data }) => [tenant, data['offset']])).toEqual([[tenant, '0']]);
    expect(await skipParked(options)).toEqual({ applied: 1, blocked: null });
    // What was applied is on the log; only what was given up has to be remembered.
    const { rows } = await f.admin.query('select state, record_offset at from parked_record where group_id = $1 order by 2', [
      group,
    ]);
    expect(rows).toEqual([
      { state: 'skipped', at: '0' },
      { state: 'skipped', at: '1' },
    ]);
  });

  it('shows an operator the keys of one tenant and of none: names, places and counts', async () => {
    const [log, group, t1, t2] = [smallLog(), newId(), newId(), newId()];
    const [own, foreign, nobody] = [newId(), newId(), '+00 000 0000'];
    const poison = eventOf({ tenant: t1, key: own, version: 1, data: {} });
    await put(
      log,
      stored,
      poison,
      eventOf({ tenant: t2, key: foreign, version: 1, data: {} }),
      eventOf({ tenant: t1, key: own, version: 2 }),
      { key: nobody, raw: 'a key that is no id of ours' },
    );
    await put(log, facts, eventOf({ tenant: t1, key: own }));
    const sut = middlewareOf(f.db, log, group);
    await sut(batchOf(log, stored), writeApplied(group), none);
    await sut(batchOf(log, facts), writeApplied(group), none);

    const seen = await parkedPage(f.db, group, { tenantId: t1, limit: 10 });
    expect(new Map(seen.items.map((item) => [item.handle, item]))).toEqual(
      new Map([
        [
          own,
          {
            handle: own,
            code: 'RECORD_INVALID',
            parkedAt: expect.any(Date),
            waiting: [
              { topic: stored, records: 2 },
              { topic: facts, records: 1 },
            ],
            first: { topic: stored, partition: 0, offset: 0n, eventId: poison.id },
          },
        ],
        [
          `${stored}~0~3`,
          {
            handle: `${stored}~0~3`,
            code: 'RECORD_INVALID',
            parkedAt: expect.any(Date),
            waiting: [{ topic: stored, records: 1 }],
            first: { topic: stored, partition: 0, offset: 3n, eventId: null },
          },
        ],
      ]),
    );
    // page by page it is the same, and one key can be asked for
    const first = await parkedPage(f.db, group, { tenantId: t1, limit: 1 });
    expect(first.next).not.toBeNull();
    const second = await parkedPage(f.db, group, { tenantId: t1, limit: 1, ...(first.next ? { after: first.next } : {}) });
    expect([...first.items, ...second.items]).toEqual(seen.items);
    expect(second.next).toBeNull();
    const asked = await parkedPage(f.db, group, { tenantId: t1, handle: `${stored}~0~3`, limit: 1 });
    expect(asked.items.map(({ handle }) => handle)).toEqual([`${stored}~0~3`]);
    expect((await parkedPage(f.db, group, { tenantId: t1, handle: foreign, limit: 1 })).items).toEqual([]);
    expect(await parkedKeyOf(f.db, group, t1, `${stored}~0~3`)).toBe(nobody);
    expect(await parkedKeyOf(f.db, group, t1, `${stored}~0~1`)).toBeNull();

    const options = { db: f.db, groupId: group, store, actorId, handlers: handlersOf(group), tenantId: t1 };
    await expect(retryParked({ ...options, key: foreign })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(skipParked({ ...options, key: foreign })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await skipParked({ ...options, key: nobody })).toEqual({ applied: 0, blocked: null });
  });

  it('gives up only the record that was decided on', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(
      log,
      stored,
      eventOf({ tenant, key, version: 1, data: {} }),
      eventOf({ tenant, key, version: 2, data: {} }),
      eventOf({ tenant, key, version: 3 }),
    );
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    const options = { db: f.db, groupId: group, store, key, actorId, handlers: handlersOf(group) };
    const record = { topic: stored, partition: 0, offset: 0n };
    await expect(skipParked(options, { ...record, offset: 1n })).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(await skipParked(options, record)).toEqual({ applied: 0, blocked: 'RECORD_INVALID' });
    // the same decision again, because its answer was lost
    await expect(skipParked(options, record)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    expect(await skipParked(options, { ...record, offset: 1n })).toEqual({ applied: 1, blocked: null });
    expect(await operations(f, 'record.skipped.v1', group)).toHaveLength(2);
  });

  it('parks a key whose versions have a hole, and applies it when an operator says so', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(
      log,
      stored,
      eventOf({ tenant, key, version: 1 }),
      eventOf({ tenant, key, version: 3 }),
      eventOf({ tenant, key, version: 4 }),
    );
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    expect(await applied(f, group)).toHaveLength(1);
    expect(await listParked(f.db, group)).toMatchObject([{ key, code: 'CAUSE_MISSING' }]);
    const drained = await retryParked({ db: f.db, groupId: group, store, key, actorId, handlers: handlersOf(group) });
    expect(drained).toEqual({ applied: 2, blocked: null });
  });

  it('keeps the bytes, headers and time of a parked record', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key, version: 1, data: {} }));
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    const [record] = log.records(stored);
    const { rows } = await f.admin.query<{
      value: Buffer;
      record_key: Buffer;
      headers: Record<string, string>;
      record_time: string;
    }>(`select value, record_key, headers, record_time from parked_record where group_id = $1`, [group]);
    expect(rows[0]?.value.equals(record?.value ?? Buffer.alloc(0))).toBe(true);
    expect(rows[0]?.record_key.toString()).toBe(key);
    expect(Buffer.from(rows[0]?.headers['content-type'] ?? '', 'base64').toString()).toBe('application/cloudevents+json');
    expect(BigInt(rows[0]?.record_time ?? 0)).toBe(record?.timestamp);
  });

  it('does not park for a broken database or a wrong configuration: the next record would fail as well', async () => {
    const [log, group, tenant] = [smallLog(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key: newId(), version: 1 }));
    const sut = middlewareOf(f.db, log, group);
    const missing = sut(
      batchOf(log, stored),
      ({ tx }) => (tx as { query(sql: string): Promise<void> }).query('select * from nowhere'),
      none,
    );
    await expect(missing).rejects.toMatchObject({ details: { sqlState: '42P01' } });
    expect(await listParked(f.db, group)).toEqual([]);
    expect(await nextOffset(f, group, stored)).toBe(0);
  });
});
