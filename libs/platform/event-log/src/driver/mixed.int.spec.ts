import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { createTestTopics, testBrokers, until } from '@centralita/testing-engines';
import { LogDrivers, openEventLog, type LogDriver } from '../open.js';
import { partitionOf } from '../partitioner.js';
import { partitionKey, type EventLog, type StoredRecord, type Subscription } from '../port.js';

const PARTITIONS = 12;

describe('both drivers on one log', () => {
  const logs = {} as Record<LogDriver, EventLog>;
  beforeAll(async () => {
    for (const driver of LogDrivers)
      logs[driver] = await openEventLog({ driver, brokers: testBrokers(), clientId: `mixed-${driver}` });
  });
  afterAll(() => Promise.all(Object.values(logs).map((log) => log.close())));

  const readAll = async (log: EventLog, topic: string): Promise<StoredRecord[]> => {
    const records: StoredRecord[] = [];
    const ranges = [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to }));
    await log.read(ranges, async (some) => void records.push(...some));
    return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  };

  it('a key stands in one partition, whoever writes it, and both read the same bytes', async () => {
    const { topic } = await createTestTopics(['topic'], PARTITIONS);
    const keys = Array.from({ length: 60 }, () => randomUUID());
    const headers = { 'content-type': 'application/cloudevents+json', empty: '' };
    for (const driver of LogDrivers)
      await logs[driver].append(keys.map((key) => ({ topic, key, value: Buffer.from(driver), headers })));
    const [one, other] = await Promise.all(LogDrivers.map((driver) => readAll(logs[driver], topic)));
    expect(one).toHaveLength(2 * keys.length);
    expect(one).toEqual(other);
    for (const key of keys) {
      const own = one?.filter((record) => String(record.key) === key) ?? [];
      expect(own.map(({ value }) => String(value))).toEqual([...LogDrivers]);
      expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set([partitionOf(key, PARTITIONS)]));
    }
    expect(await logs.kafkajs.admin.clusterId()).toBe(await logs.platformatic.admin.clusterId());
    expect(await logs.kafkajs.admin.topicIds([topic])).toEqual(await logs.platformatic.admin.topicIds([topic]));
    expect(await logs.kafkajs.admin.describeTopics([topic])).toEqual(await logs.platformatic.admin.describeTopics([topic]));
  });

  it.each<[LogDriver, LogDriver]>([
    ['kafkajs', 'platformatic'],
    ['platformatic', 'kafkajs'],
  ])('a group that %s leads takes members over %s: the driver changes without a standstill', async (leader, follower) => {
    const { topic } = await createTestTopics(['topic'], 4);
    const groupId = randomUUID();
    const stored = new Map<string, bigint>();
    const applied: StoredRecord[] = [];
    const crashes: Error[] = [];
    const join = (driver: LogDriver): Promise<Subscription> =>
      logs[driver].subscribe({
        groupId,
        topics: [topic],
        maxWaitMs: 100,
        startAt: async () => new Map(stored),
        onBatch: async (batch) => {
          const place = partitionKey(batch.topic, batch.partition);
          if (batch.firstOffset !== (stored.get(place) ?? 0n)) throw new PlatformError('STALE_EPOCH', 'not the next offset');
          stored.set(place, batch.lastOffset + 1n);
          applied.push(...batch.records);
        },
        onCrash: (error) => void crashes.push(error),
      });
    const total = 300;
    const appending = (async () => {
      for (let n = 0; n < total; n++)
        await logs[follower].append([{ topic, key: `key-${n % 11}`, value: Buffer.from(String(n)) }]);
    })();
    const first = await join(leader);
    await until(() => applied.length > 10);
    const second = await join(follower);
    await until(() => first.assigned().length === 2 && second.assigned().length === 2, { timeoutMs: 20_000 });
    await first.close();
    await until(() => second.assigned().length === 4, { timeoutMs: 20_000 });
    await appending;
    await until(() => applied.length === total, { timeoutMs: 20_000 });
    await second.close();
    expect(new Set(applied.map(({ value }) => String(value))).size).toBe(total);
    expect(crashes).toEqual([]);
  });
});
