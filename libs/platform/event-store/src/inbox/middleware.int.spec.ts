import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isPlatformError, PlatformError, type CloudEvent } from '@centralita/contracts';
import type { EventBatch } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import fc from 'fast-check';
import { EventStore } from '../event-store.js';
import { identified, newId, type Fixture } from '../support.spec.js';
import type { Tx } from '../types.js';
import { purgeInbox } from './duplicates.js';
import { inboxMiddleware } from './middleware.js';
import { consumerLag, startAt } from './positions.js';
import {
  applied,
  batchOf,
  eventOf,
  facts,
  inboxFixture,
  middlewareOf,
  nextOffset,
  none,
  put,
  smallLog,
  somebodyWaits,
  stored,
  writeApplied,
} from './support.spec.js';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (isPlatformError(error) ? error.code : String(error)),
  );

describe(inboxMiddleware.name, () => {
  let f: Fixture;
  beforeAll(async () => {
    f = await inboxFixture();
  });
  afterAll(() => f.end());

  it('applies a batch of several tenants under row-level security, once per tenant, in offset order', async () => {
    const [log, group] = [smallLog(), newId()];
    const [t1, t2, k1, k2] = [newId(), newId(), newId(), newId()];
    await put(log, stored, eventOf({ tenant: t2, key: k2, version: 1 }), eventOf({ tenant: t1, key: k1, version: 1 }));
    await put(log, stored, eventOf({ tenant: t2, key: k2, version: 2 }), eventOf({ tenant: t1, key: k1 }));
    const calls: EventBatch[] = [];
    await middlewareOf(f.db, log, group)(
      batchOf(log, stored),
      async (batch) => {
        calls.push(batch);
        await writeApplied(group)(batch);
      },
      none,
    );
    expect(calls.map(({ tenantId, events }) => [tenantId, events.map(({ offset }) => offset)]).sort()).toEqual(
      [
        [t1, [1n, 3n]],
        [t2, [0n, 2n]],
      ].sort(),
    );
    expect(await applied(f, group)).toHaveLength(4);
    expect(await nextOffset(f, group, stored)).toBe(4);
    expect(await consumerLag(f.db, log, group)).toMatchObject([{ topic: stored, partition: 0, records: 0n }]);
  });

  it('applies duplicates once: stored events by version, facts by id, in one batch and in later ones', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const events = [1, 2, 3].map((version) => eventOf({ tenant, key, version }));
    const [fact, other] = [eventOf({ tenant, key }), eventOf({ tenant, key })];
    await put(log, stored, ...events, ...events, fact, fact);
    await put(log, stored, ...events, fact, other);
    const sut = middlewareOf(f.db, log, group);
    await sut(batchOf(log, stored, 0, 8), writeApplied(group), none);
    await sut(batchOf(log, stored, 8), writeApplied(group), none);
    expect((await applied(f, group)).map(({ id }) => id)).toEqual([...events, fact, other].map(({ id }) => id));
  });

  it('applies a fact once by its id where facts come alone: twice in one batch, again in a later one', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const all = Array.from({ length: 4 }, () => eventOf({ tenant, key }));
    const [one, two, three, four] = all as [CloudEvent, CloudEvent, CloudEvent, CloudEvent];
    await put(log, stored, one, two, two, two, three, four, four);
    const sut = middlewareOf(f.db, log, group);
    // two in one batch, then one of them with a new one, then a new one twice
    for (const [from, to] of [
      [0, 3],
      [3, 5],
      [5, 7],
    ] as const)
      await sut(batchOf(log, stored, from, to), writeApplied(group), none);
    expect((await applied(f, group)).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });

  it('lets one of two that hold the same records through, and gives the other nothing', async () => {
    // given: a member that is in the middle of a batch when its partition has already gone to another one
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(log, stored, ...[1, 2, 3, 4].map((version) => eventOf({ tenant, key, version })));
    await middlewareOf(f.db, log, group)(batchOf(log, stored, 0, 1), writeApplied(group), none);
    const [started, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = middlewareOf(f.db, log, group)(
      batchOf(log, stored, 1),
      async (batch) => {
        started.resolve();
        await goOn.promise;
        await writeApplied(group)(batch);
      },
      none,
    );
    await started.promise;
    let called = false;
    const fast = middlewareOf(f.db, log, group)(
      batchOf(log, stored, 1),
      async (batch) => {
        called = true;
        await writeApplied(group)(batch);
      },
      none,
    );
    // when
    await until(async () => called || (await somebodyWaits(f)));
    goOn.resolve();
    await Promise.all([slow, fast]);
    // then
    expect(called).toBe(false);
    expect(await applied(f, group)).toHaveLength(4);
  });

  it('does nothing for a zombie whose records somebody else has applied, and takes only the new part of an overlap', async () => {
    const [log, group, tenant] = [smallLog(), newId(), newId()];
    await put(log, stored, ...Array.from({ length: 9 }, () => eventOf({ tenant, key: newId() })));
    const [zombie, healthy] = [middlewareOf(f.db, log, group), middlewareOf(f.db, log, group)];
    const old = batchOf(log, stored, 0, 3);
    await healthy(old, writeApplied(group), none);
    await healthy(batchOf(log, stored, 3, 6), writeApplied(group), none);
    let called = false;
    await zombie(
      old,
      async () => {
        called = true;
      },
      none,
    );
    expect(called).toBe(false);
    expect(await nextOffset(f, group, stored)).toBe(6);
    await healthy(batchOf(log, stored, 4, 9), writeApplied(group), none);
    expect(await applied(f, group)).toHaveLength(9);
    expect(new Set((await applied(f, group)).map(({ id }) => id)).size).toBe(9);
  });

  it('stops the partition when records are missing, on another cluster or topic, and when the log has lost records', async () => {
    const [log, group, tenant] = [smallLog(), newId(), newId()];
    await put(log, stored, ...Array.from({ length: 4 }, () => eventOf({ tenant, key: newId() })));
    const alarms: string[] = [];
    const metrics = { alarm: ({ code }: { code: string }) => alarms.push(code) };
    const sut = middlewareOf(f.db, log, group, { metrics });
    expect(await codeOf(sut(batchOf(log, stored, 1), writeApplied(group), none))).toBe('OFFSET_OUT_OF_RANGE');
    await sut(batchOf(log, stored, 0, 3), writeApplied(group), none);

    const other = smallLog();
    await put(other, stored, ...Array.from({ length: 4 }, () => eventOf({ tenant, key: newId() })));
    const elsewhere = middlewareOf(f.db, other, group, { metrics });
    expect(await codeOf(elsewhere(batchOf(other, stored, 3), writeApplied(group), none))).toBe('TOPIC_MISMATCH');

    const again = { ...log, admin: { ...log.admin, topicIds: async () => new Map([[stored, newId()]]) } };
    expect(await codeOf(middlewareOf(f.db, again, group, { metrics })(batchOf(log, stored, 3), writeApplied(group), none))).toBe(
      'TOPIC_MISMATCH',
    );

    const shorter = { ...log, admin: { ...log.admin, endOffsets: async () => new Map([[0, 1n]]) } };
    const lost = { ...batchOf(log, stored, 0, 1), endOffset: 1n };
    expect(await codeOf(middlewareOf(f.db, shorter, group, { metrics })(lost, writeApplied(group), none))).toBe(
      'LOG_BEHIND_STORE',
    );
    expect(alarms).toEqual(['OFFSET_OUT_OF_RANGE', 'TOPIC_MISMATCH', 'TOPIC_MISMATCH', 'LOG_BEHIND_STORE']);
    expect(await applied(f, group)).toHaveLength(3);
  });

  it('stops when a version of a key comes with another event id', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(
      log,
      stored,
      ...[1, 2, 3].map((version) => eventOf({ tenant, key, version })),
      eventOf({ tenant, key, version: 2 }),
    );
    const sut = middlewareOf(f.db, log, group);
    expect(await codeOf(sut(batchOf(log, stored), writeApplied(group), none))).toBe('VERSION_REUSED');
    expect(await applied(f, group)).toEqual([]);
  });

  it('keeps the last sixteen ids of a key over batches, and knows each of them again', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const events = Array.from({ length: 45 }, (_, index) => eventOf({ tenant, key, version: index + 1 }));
    await put(log, stored, ...events);
    const sut = middlewareOf(f.db, log, group);
    // more than sixteen of a new key, more of a known one, some, one
    const ends = [20, 40, 44, 45];
    for (const [place, end] of ends.entries()) {
      await sut(batchOf(log, stored, ends[place - 1] ?? 0, end), writeApplied(group), none);
      const { rows } = await f.admin.query<{ last: string; ids: string[] }>(
        `select last_version as last, recent_ids as ids from key_watermark where group_id = $1`,
        [group],
      );
      const newest = events.slice(end - 16, end).toReversed();
      expect(rows).toEqual([{ last: String(end), ids: newest.map(({ id }) => id) }]);
    }
    expect((await applied(f, group)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    await put(log, stored, ...events.slice(20), eventOf({ tenant, key, version: 46 }), eventOf({ tenant, key, version: 30 }));
    await sut(batchOf(log, stored, 45, 71), writeApplied(group), none);
    expect(await applied(f, group)).toHaveLength(46);
    expect(await codeOf(sut(batchOf(log, stored, 71), writeApplied(group), none))).toBe('no error');
    await put(log, stored, eventOf({ tenant, key, version: 31 }));
    expect(await codeOf(sut(batchOf(log, stored, 72), writeApplied(group), none))).toBe('VERSION_REUSED');
  });

  it('takes no version of a key that it has never seen from its beginning', async () => {
    const [log, group, tenant, key, other] = [smallLog(), newId(), newId(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key: other, version: 1 }), eventOf({ tenant, key, version: 5 }));
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    expect((await applied(f, group)).map((row) => row.key)).toEqual([other]);
    expect((await f.admin.query(`select code from parked_key where group_id = $1 and key = $2`, [group, key])).rows).toEqual([
      { code: 'CAUSE_MISSING' },
    ]);
  });

  it('tries with a batch of new records as they are, and calls the handler once for it', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const duplicate = eventOf({ tenant, key, version: 1 });
    await put(log, stored, duplicate, eventOf({ tenant, key, version: 2 }), eventOf({ tenant, key: newId() }));
    await put(log, stored, duplicate, eventOf({ tenant, key, version: 3 }));
    const sizes: number[] = [];
    const handle = async (batch: EventBatch): Promise<void> => {
      sizes.push(batch.events.length);
      await writeApplied(group)(batch);
    };
    const sut = middlewareOf(f.db, log, group);
    await sut(batchOf(log, stored, 0, 3), handle, none);
    await sut(batchOf(log, stored, 3), handle, none);
    expect(sizes).toEqual([3, 1]);
  });

  it('throws an error that passes, keeps nothing, and applies the batch when it comes again', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key, version: 1 }), eventOf({ tenant, key: newId() }));
    const sut = middlewareOf(f.db, log, group);
    let failing = true;
    const handle = async (batch: EventBatch): Promise<void> => {
      await writeApplied(group)(batch);
      if (failing) throw new PlatformError('KEY_UNAVAILABLE', 'later');
    };
    expect(await codeOf(sut(batchOf(log, stored), handle, none))).toBe('KEY_UNAVAILABLE');
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const unreachable = sut(batchOf(log, stored), () => Promise.reject(refused), none);
    await expect(unreachable).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', cause: refused });
    expect(await applied(f, group)).toEqual([]);
    expect(await nextOffset(f, group, stored)).toBe(0);
    failing = false;
    await sut(batchOf(log, stored), handle, none);
    expect(await applied(f, group)).toHaveLength(2);
  });

  it('runs the whole batch again after a deadlock, and applies it once', async () => {
    // given: a batch and another writer that lock two keys in opposite order
    const [log, group, tenant] = [smallLog(), newId(), newId()];
    const store = new EventStore({ service: 'conversation' });
    const [a, b] = [newId(), newId()];
    await put(log, stored, eventOf({ tenant, key: a, version: 1 }));
    let runs = 0;
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const lock = (tx: Tx, key: string): Promise<unknown> =>
      store.append(tx, 'conversation.events.v1', [identified(key, newId(), 0)]);
    const batch = middlewareOf(f.db, log, group)(
      batchOf(log, stored),
      async (events) => {
        runs += 1;
        const tx = events.tx as Tx;
        await lock(tx, a);
        first.resolve();
        await second.promise;
        await lock(tx, b);
        await writeApplied(group)(events);
      },
      none,
    );
    let writes = 0;
    const writer = f.db.withTenant(tenant, async (tx) => {
      writes += 1;
      await first.promise;
      await lock(tx, b);
      second.resolve();
      await lock(tx, a);
    });
    // when, then: one of them was the victim, and both got through
    await Promise.all([batch, writer]);
    // On a busy machine they may meet again.
    expect(runs + writes).toBeGreaterThanOrEqual(3);
    expect(await applied(f, group)).toHaveLength(1);
  });

  it('loads again when a command was faster', async () => {
    const [log, group, tenant, stream] = [smallLog(), newId(), newId(), newId()];
    const store = new EventStore({ service: 'conversation' });
    await put(log, facts, eventOf({ tenant, key: stream }));
    let raced = false;
    await middlewareOf(f.db, log, group)(
      batchOf(log, facts),
      async ({ tx }) => {
        const version = (await store.load(tx as Tx, stream)).length;
        if (!raced) {
          raced = true;
          await f.db.withTenant(tenant, (own) => store.append(own, 'conversation.events.v1', [identified(stream, stream, 0)]));
        }
        await store.append(tx as Tx, 'conversation.events.v1', [identified(stream, stream, version)]);
      },
      none,
    );
    expect(await f.db.withTenant(tenant, (tx) => store.load(tx, stream))).toHaveLength(2);
  });

  it('passes over ignored types and still follows their versions', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const ignored = new Set(['conversation.closed.v1', 'thing.of.tomorrow.v9']);
    await put(
      log,
      stored,
      eventOf({ tenant, key, version: 1, type: 'conversation.closed.v1', data: { not: 'of this shape' } }),
      eventOf({ tenant, key, version: 2, type: 'thing.of.tomorrow.v9' }),
      eventOf({ tenant, key, version: 3 }),
    );
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), ignored);
    expect(await applied(f, group)).toHaveLength(1);
    expect(await nextOffset(f, group, stored)).toBe(3);
  });

  it('holds an effect back until its group has applied the cause, and parks it when the cause does not come', async () => {
    const [log, group, tenant, key] = [smallLog(), newId(), newId(), newId()];
    const sut = middlewareOf(f.db, log, group, { causePatienceMs: 150 });
    await startAt(f.db, group)([facts, stored].map((topic) => ({ topic, partition: 0 })));
    await put(log, facts, eventOf({ tenant, key }), eventOf({ tenant, key }));
    const cause = (offset: number) => ({ topic: facts, partition: 0, offset: String(offset) });
    const [plain, effect, lost] = [
      eventOf({ tenant, key, version: 1 }),
      eventOf({ tenant, key, version: 2, cause: cause(1) }),
      eventOf({ tenant, key, version: 3, cause: cause(7) }),
    ];
    await put(log, stored, plain, effect, lost);
    // what stands before it is applied, it is not
    expect(await codeOf(sut(batchOf(log, stored), writeApplied(group), none))).toBe('CAUSE_NOT_SEEN');
    expect((await applied(f, group)).map(({ id }) => id)).toEqual([plain.id]);
    await sut(batchOf(log, facts), writeApplied(group), none);
    expect(await codeOf(sut(batchOf(log, stored, 1), writeApplied(group), none))).toBe('CAUSE_NOT_SEEN');
    expect((await applied(f, group)).map(({ id }) => id)).toContain(effect.id);
    // the one whose cause is on no log waits for as long as nothing moves
    await until(async () => (await codeOf(sut(batchOf(log, stored, 2), writeApplied(group), none))) === 'no error', {
      timeoutMs: 5_000,
    });
    const { rows } = await f.admin.query(`select code from parked_key where group_id = $1 and key = $2`, [group, key]);
    expect(rows).toEqual([{ code: 'CAUSE_MISSING' }]);
    expect(await applied(f, group)).toHaveLength(4);
  });

  it('keeps ids for eight days and forgets them afterwards', async () => {
    const [group, tenant] = [newId(), newId()];
    for (const days of [0, 8, 9, 10, 30])
      await f.admin.query(
        `insert into inbox (tenant_id, group_id, event_id, topic, seen_on) values ($1, $2, gen_random_uuid(), 't', current_date - $3::int)`,
        [tenant, group, days],
      );
    expect(await f.db.withTenant(tenant, (tx) => purgeInbox(tx, tenant, group, 100))).toBe(2);
    // and the middleware does so for the tenants that it serves
    await f.admin.query(`update inbox set seen_on = current_date - 20 where group_id = $1`, [group]);
    const log = smallLog();
    await put(log, facts, eventOf({ tenant, key: newId() }));
    await middlewareOf(f.db, log, group)(batchOf(log, facts), writeApplied(group), none);
    const left = async (): Promise<number> => {
      const { rows } = await f.admin.query<{ n: string }>(`select count(*) n from inbox where group_id = $1`, [group]);
      return Number(rows[0]?.n);
    };
    expect(await left()).toBe(1);
    // and goes on with the next batch when there were more than it takes at a time
    const sut = middlewareOf(f.db, log, group);
    await f.admin.query(
      `insert into inbox (tenant_id, group_id, event_id, topic, seen_on)
       select $1, $2, gen_random_uuid(), 't', current_date - 10 from generate_series(1, 6000)`,
      [tenant, group],
    );
    for (let from = 1; from <= 2; from += 1) {
      await put(log, facts, eventOf({ tenant, key: newId() }));
      await sut(batchOf(log, facts, from), writeApplied(group), none);
    }
    expect(await left()).toBe(3);
  });

  it('starts where it has stored, and new partitions at the beginning', async () => {
    const [log, group, tenant] = [smallLog(), newId(), newId()];
    await put(log, stored, eventOf({ tenant, key: newId() }), eventOf({ tenant, key: newId() }));
    await middlewareOf(f.db, log, group)(batchOf(log, stored), writeApplied(group), none);
    const start = await startAt(f.db, group)([stored, facts].map((topic) => ({ topic, partition: 0 })));
    expect(start).toEqual(
      new Map([
        [`${stored}:0`, 2n],
        [`${facts}:0`, 0n],
      ]),
    );
  });

  it('has each effect once and in order under any cutting, duplication, rebalance and failure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.nat(2), again: fc.nat(3) }), { minLength: 5, maxLength: 40 }),
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 9 }), fails: fc.boolean(), back: fc.nat(5) }), {
          minLength: 60,
          maxLength: 60,
        }),
        async (script, cuts) => {
          const [log, group, tenant] = [smallLog(), newId(), newId()];
          const keys = [newId(), newId(), newId()];
          const history = keys.map((): ReturnType<typeof eventOf>[] => []);
          for (const { key, again } of script) {
            const own = history[key] as ReturnType<typeof eventOf>[];
            own.push(eventOf({ tenant, key: keys[key] as string, version: own.length + 1 }));
            // a relay that resends a run
            await put(log, stored, ...own.slice(-1 - again));
          }
          const end = log.records(stored).length;
          for (const { size, fails, back } of cuts) {
            const next = await nextOffset(f, group, stored);
            if (next >= end) break;
            const from = Math.max(0, next - back);
            const work = middlewareOf(f.db, log, group)(
              batchOf(log, stored, from, next + size),
              async (batch) => {
                await writeApplied(group)(batch);
                if (fails) throw new PlatformError('KEY_UNAVAILABLE', 'injected');
              },
              none,
            );
            await work.catch((error: unknown) => expect(isPlatformError(error, 'KEY_UNAVAILABLE')).toBe(true));
          }
          const rows = await applied(f, group);
          const done = await nextOffset(f, group, stored);
          for (const [index, key] of keys.entries()) {
            const ids = rows.filter((row) => row.key === key).map(({ id }) => id);
            const all = (history[index] ?? []).map(({ id }) => id);
            expect(ids).toEqual(all.slice(0, ids.length));
            if (done >= end) expect(ids).toEqual(all);
          }
        },
      ),
      { numRuns: 8 },
    );
  });
});
