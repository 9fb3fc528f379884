import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { createMemoryLog, type EventBatch, type MemoryLog, type RecordBatch } from '@centralita/event-log';
import { newId, type Fixture } from '../support.spec.js';
import { applied, eventOf, inboxFixture, middlewareOf, none, put, stored, writeApplied } from './support.spec.js';
import { applyTogether } from './together.js';
import { startAt } from './positions.js';

const PARTITIONS = 4;

describe(applyTogether.name, () => {
  let f: Fixture;
  const tenant = newId();
  beforeAll(async () => {
    f = await inboxFixture();
  });
  afterAll(() => f.end());

  /** A log with so many keys that each partition has some, and the batches of all partitions. */
  const given = async (group: string, each: (key: string) => Parameters<typeof put>[2][]): Promise<MemoryLog> => {
    const log = createMemoryLog({ topics: [{ name: stored, partitions: PARTITIONS, replicationFactor: 1 }] });
    for (let key = 0; key < 40; key += 1) await put(log, stored, ...each(newId()));
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: stored, partition }));
    await startAt(f.db, group)(partitions);
    return log;
  };
  const batches = (log: MemoryLog): RecordBatch[] =>
    Array.from({ length: PARTITIONS }, (_, partition) => {
      const records = log.records(stored).filter((record) => record.partition === partition);
      return {
        topic: stored,
        partition,
        records,
        firstOffset: 0n,
        lastOffset: BigInt(records.length - 1),
        endOffset: BigInt(records.length),
        heartbeat: async () => undefined,
        signal: new AbortController().signal,
        isStale: () => false,
      };
    });
  const positions = async (group: string): Promise<number[]> => {
    const sql = 'select next_offset n from consumer_offset where group_id = $1 order by partition';
    return (await f.admin.query<{ n: string }>(sql, [group])).rows.map(({ n }) => Number(n));
  };
  const versions = (key: string) => [1, 2].map((version) => eventOf({ tenant, key, version }));

  it('takes the partitions of a topic in one transaction and calls the handler once, each key in order', async () => {
    const group = newId();
    const log = await given(group, versions);
    const calls: EventBatch[] = [];
    const sut = middlewareOf(f.db, log, group);
    const handle = async (batch: EventBatch): Promise<void> => {
      calls.push(batch);
      await writeApplied(group)(batch);
    };
    await Promise.all(batches(log).map((batch) => sut(batch, handle, none)));
    expect(calls).toHaveLength(1);
    expect(await applied(f, group)).toHaveLength(80);
    expect(await positions(group)).toEqual(batches(log).map(({ records }) => records.length));
  });

  it('applies each alone when one has a duplicate, and that one once', async () => {
    const group = newId();
    let first = true;
    const log = await given(group, (key) => {
      const events = versions(key);
      const again = first ? events : [];
      first = false;
      return [...events, ...again];
    });
    const sut = middlewareOf(f.db, log, group);
    await Promise.all(batches(log).map((batch) => sut(batch, writeApplied(group), none)));
    const ids = (await applied(f, group)).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([80, 80]);
    expect(await positions(group)).toEqual(batches(log).map(({ records }) => records.length));
  });

  it('lets a partition fail alone: the others are applied, and it keeps its place', async () => {
    const group = newId();
    const log = await given(group, versions);
    const [sick = ''] = batches(log).flatMap(({ partition, records }) => (partition === 2 ? [String(records[0]?.key)] : []));
    const handle = async (batch: EventBatch): Promise<void> => {
      await writeApplied(group)(batch);
      if (batch.events.some(({ key }) => key === sick)) throw new PlatformError('KEY_UNAVAILABLE', 'not now');
    };
    const sut = middlewareOf(f.db, log, group);
    const outcomes = await Promise.allSettled(batches(log).map((batch) => sut(batch, handle, none)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await positions(group)).toEqual(batches(log).map(({ partition, records }) => (partition === 2 ? 0 : records.length)));
    expect((await applied(f, group)).some(({ key }) => key === sick)).toBe(false);
  });

  it('parks what cannot be read and applies the rest of that partition and the others', async () => {
    const group = newId();
    const bad = newId();
    let first = true;
    const log = await given(group, (key) => {
      const poison = first ? [{ key: bad, raw: 'no event' }] : [];
      first = false;
      return [...versions(key), ...poison];
    });
    const sut = middlewareOf(f.db, log, group);
    await Promise.all(batches(log).map((batch) => sut(batch, writeApplied(group), none)));
    expect(await applied(f, group)).toHaveLength(80);
    const { rows } = await f.admin.query<{ key: string }>('select key from parked_key where group_id = $1', [group]);
    expect(rows.map(({ key }) => key)).toEqual([bad]);
    expect(await positions(group)).toEqual(batches(log).map(({ records }) => records.length));
  });
});
