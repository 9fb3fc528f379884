import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import {
  partitionKey,
  partitionOf,
  topicSpecs,
  type EventLog,
  type RecordBatch,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
} from './index.js';

/*
 * What every driver of the port must do, run against each (memory, kafkajs on a real broker). It is a function and not a tier of
 * its own, so that a second driver is one line. What needs several brokers stands in the fault tier.
 */

const PARTITIONS = 4;

type Consumer = {
  /** Records as they were applied, with the partitions' stored offsets checked as a consumer's transaction does. */
  applied: StoredRecord[];
  options(groupId: string, topic: string, more?: Partial<SubscribeOptions>): SubscribeOptions;
  crashes: Error[];
};

export const describeEventLogConformance = (name: string, makeLog: () => Promise<EventLog> | EventLog): void => {
  describe(`the event log port: ${name}`, () => {
    let log: EventLog;
    const subscriptions: Subscription[] = [];
    beforeAll(async () => {
      log = await makeLog();
    });

    const freshTopic = async (partitions = PARTITIONS): Promise<string> => {
      const topic = `conformance.${randomUUID()}`;
      await log.admin.createTopics([{ name: topic, partitions, replicationFactor: 1, config: topicSpecs[0]?.config ?? {} }]);
      return topic;
    };
    const readAll = async (topic: string): Promise<StoredRecord[]> => {
      const [from, to] = [await log.admin.beginningOffsets(topic), await log.admin.endOffsets(topic)];
      const ranges = [...to].map(([partition, end]) => ({ topic, partition, from: from.get(partition) ?? 0n, to: end }));
      const all: StoredRecord[] = [];
      await log.read(ranges, async (records) => void all.push(...records));
      return all;
    };
    const textOf = (record: StoredRecord | undefined): string | undefined => record?.value?.toString();
    const append = (topic: string, key: string | null, ...values: string[]): Promise<void> =>
      log.append(values.map((value) => ({ topic, key, value: Buffer.from(value) })));
    /** A key for each partition. */
    const keys = Array.from({ length: PARTITIONS }, (_, partition) => {
      for (let n = 0; ; n++) if (partitionOf(`key-${n}`, PARTITIONS) === partition) return `key-${n}`;
    });
    const keyOf = (partition: number): string => keys[partition] ?? '';

    const consumer = (): Consumer => {
      const stored = new Map<string, bigint>();
      const applied: StoredRecord[] = [];
      const crashes: Error[] = [];
      const onBatch = async (batch: RecordBatch): Promise<void> => {
        const key = partitionKey(batch.topic, batch.partition);
        if (batch.firstOffset !== (stored.get(key) ?? 0n)) throw new PlatformError('STALE_EPOCH', 'not the next offset');
        stored.set(key, batch.lastOffset + 1n);
        applied.push(...batch.records);
      };
      return {
        applied,
        crashes,
        options: (groupId, topic, more = {}) => ({
          groupId,
          topics: [topic],
          onBatch,
          startAt: async (partitions) =>
            new Map(
              partitions.map(({ topic: t, partition }) => [
                partitionKey(t, partition),
                stored.get(partitionKey(t, partition)) ?? 0n,
              ]),
            ),
          onCrash: (error) => void crashes.push(error),
          maxWaitMs: 100,
          ...more,
        }),
      };
    };
    const subscribe = async (options: SubscribeOptions): Promise<Subscription> => {
      const subscription = await log.subscribe(options);
      subscriptions.push(subscription);
      return subscription;
    };
    afterAll(async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await log.close();
    });

    describe('appending', () => {
      it('keeps the order of each key while many append at once', async () => {
        const topic = await freshTopic();
        const names = Array.from({ length: 10 }, (_, n) => `subject-${n}`);
        await Promise.all(
          names.map(async (key) => {
            for (let n = 0; n < 20; n += 2) await append(topic, key, String(n), String(n + 1));
          }),
        );
        const all = await readAll(topic);
        for (const key of names) {
          const own = all.filter((record) => record.key?.toString() === key);
          expect(own.map(textOf)).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
          expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set([partitionOf(key, PARTITIONS)]));
        }
      });

      it('gives concurrent appends of one key the order in which they were called', async () => {
        const topic = await freshTopic();
        await Promise.all(Array.from({ length: 50 }, (_, n) => append(topic, 'one', String(n))));
        expect((await readAll(topic)).map(textOf)).toEqual(Array.from({ length: 50 }, (_, n) => String(n)));
      });

      it('gives N concurrent appends N distinct offsets', async () => {
        const topic = await freshTopic(1);
        await Promise.all(Array.from({ length: 200 }, (_, n) => append(topic, `k${n % 7}`, String(n))));
        const all = await readAll(topic);
        expect(all.map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (_, n) => BigInt(n)));
        expect(new Set(all.map(textOf)).size).toBe(200);
      });

      it('takes an append of many records that no single request could hold', async () => {
        const topic = await freshTopic(1);
        await log.append(Array.from({ length: 60 }, (_, n) => ({ topic, key: 'k', value: Buffer.alloc(50_000, n) })));
        const all = await readAll(topic);
        expect(all.map(({ value }) => value?.[0])).toEqual(Array.from({ length: 60 }, (_, n) => n));
      });

      it('refuses an oversize record for good, and goes on', async () => {
        const topic = await freshTopic(1);
        const refused = log.append([{ topic, key: 'k', value: Buffer.alloc(2_000_000) }]);
        const beside = append(topic, 'k', 'beside');
        await expect(refused).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', retryable: false });
        await beside;
        await append(topic, 'k', 'after');
        expect((await readAll(topic)).map(textOf)).toEqual(['beside', 'after']);
      });

      it('takes a record of 1 MB', async () => {
        const topic = await freshTopic(1);
        const value = Buffer.alloc(1_000_000, 'x');
        await log.append([{ topic, key: 'k', value }]);
        expect((await readAll(topic))[0]?.value?.equals(value)).toBe(true);
      });

      it('fails fast on an unknown topic, whoever asks', async () => {
        const started = performance.now();
        const topic = `unknown.${randomUUID()}`;
        const expected = { code: 'TOPIC_UNKNOWN', retryable: false };
        await expect(append(topic, 'k', 'v')).rejects.toMatchObject(expected);
        await expect(log.subscribe(consumer().options(randomUUID(), topic))).rejects.toMatchObject(expected);
        await expect(log.read([{ topic, partition: 0, from: 0n, to: 0n }], async () => undefined)).rejects.toMatchObject(
          expected,
        );
        await expect(log.admin.endOffsets(topic)).rejects.toMatchObject(expected);
        await expect(log.admin.topicIds([topic])).rejects.toMatchObject(expected);
        expect(performance.now() - started).toBeLessThan(5000);
      });

      it('round-trips header bytes, null keys and null values', async () => {
        const topic = await freshTopic(1);
        const headers = { 'content-type': 'application/cloudevents+json', name: 'Señal ✓ 信号', empty: '' };
        await log.append([
          { topic, key: null, value: null },
          { topic, key: '', value: Buffer.alloc(0) },
          { topic, key: 'ключ', value: Buffer.from([0, 255, 128]), headers },
        ]);
        const [bare, empty, full] = await readAll(topic);
        expect(bare).toMatchObject({ key: null, value: null, headers: {} });
        expect(empty?.key).toEqual(Buffer.alloc(0));
        expect(empty?.value).toEqual(Buffer.alloc(0));
        expect(full?.key).toEqual(Buffer.from('ключ'));
        expect(full?.value).toEqual(Buffer.from([0, 255, 128]));
        expect(
          Object.fromEntries(Object.entries(full?.headers ?? {}).map(([header, bytes]) => [header, bytes.toString()])),
        ).toEqual(headers);
      });

      it('spreads null keys', async () => {
        const topic = await freshTopic();
        await append(topic, null, ...Array.from({ length: 40 }, (_, n) => String(n)));
        const all = await readAll(topic);
        expect(all).toHaveLength(40);
        expect(new Set(all.map(({ partition }) => partition)).size).toBe(PARTITIONS);
      });

      it('does not care about the clock of the producer', async () => {
        const topic = await freshTopic(1);
        const now = Date.now();
        const clock = jest.spyOn(Date, 'now');
        try {
          for (const skew of [-30, 30]) {
            clock.mockReturnValue(now + skew * 86_400_000);
            await append(topic, 'k', `${skew} days`);
          }
        } finally {
          clock.mockRestore();
        }
        expect((await readAll(topic)).map(textOf)).toEqual(['-30 days', '30 days']);
      });
    });

    describe('reading', () => {
      it('gives exactly the asked ranges, in order, and knows what is not there', async () => {
        const topic = await freshTopic();
        for (const partition of [0, 1])
          await append(topic, keyOf(partition), ...Array.from({ length: 30 }, (_, n) => `${partition}/${n}`));
        const seen: StoredRecord[] = [];
        await log.read(
          [
            { topic, partition: 0, from: 5n, to: 9n },
            { topic, partition: 1, from: 28n, to: 30n },
            { topic, partition: 2, from: 0n, to: 0n },
            { topic, partition: 0, from: 20n, to: 22n },
          ],
          async (records) => void seen.push(...records),
        );
        expect(seen.filter(({ partition }) => partition === 0).map(textOf)).toEqual(['0/5', '0/6', '0/7', '0/8', '0/20', '0/21']);
        expect(seen.filter(({ partition }) => partition === 1).map(textOf)).toEqual(['1/28', '1/29']);
        expect(seen).toHaveLength(8);
        const beyond = log.read([{ topic, partition: 0, from: 0n, to: 31n }], async (records) => void seen.push(...records));
        await expect(beyond).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', retryable: false });
        await expect(log.read([{ topic, partition: 9, from: 0n, to: 0n }], async () => undefined)).rejects.toMatchObject({
          code: 'TOPIC_UNKNOWN',
        });
        expect(seen).toHaveLength(8);
      });

      it('ends with the error of its reader', async () => {
        const topic = await freshTopic(1);
        await append(topic, 'k', 'a');
        const failed = log.read([{ topic, partition: 0, from: 0n, to: 1n }], async () => {
          throw new PlatformError('RECORD_INVALID', 'tampered');
        });
        await expect(failed).rejects.toMatchObject({ code: 'RECORD_INVALID' });
      });

      it('finds the last record that matches, within its look back', async () => {
        const topic = await freshTopic(1);
        await append(topic, 'k', ...Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? `own ${n}` : `other ${n}`)));
        const own = (record: StoredRecord) => textOf(record)?.startsWith('own') === true;
        expect(textOf((await log.lastRecord(topic, 0, () => true)) ?? undefined)).toBe('other 99');
        expect(textOf((await log.lastRecord(topic, 0, own)) ?? undefined)).toBe('own 90');
        expect(await log.lastRecord(topic, 0, own, 9)).toBeNull();
        expect(textOf((await log.lastRecord(topic, 0, (record) => textOf(record) === 'own 0')) ?? undefined)).toBe('own 0');
        expect(await log.lastRecord(topic, 0, () => false)).toBeNull();
        expect(await log.lastRecord(await freshTopic(1), 0, () => true)).toBeNull();
      });
    });

    describe('administering', () => {
      it('describes what exists, and tells a topic by an id', async () => {
        const [one, two] = [await freshTopic(), await freshTopic()];
        const [described, ...others] = await log.admin.describeTopics([one, 'nowhere']);
        expect(others).toEqual([]);
        expect(described).toMatchObject({
          name: one,
          partitions: PARTITIONS,
          config: { 'retention.ms': '-1', 'cleanup.policy': 'delete' },
        });
        const ids = await log.admin.topicIds([one, two]);
        expect(ids.get(one)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(ids.get(one)).not.toBe(ids.get(two));
        expect(await log.admin.topicIds([one])).toEqual(new Map([[one, ids.get(one)]]));
        expect(await log.admin.clusterId()).toBe(await log.admin.clusterId());
      });

      it('leaves an existing topic as it is', async () => {
        const topic = await freshTopic(2);
        await log.admin.createTopics([{ name: topic, partitions: 7, replicationFactor: 1 }]);
        expect((await log.admin.describeTopics([topic]))[0]?.partitions).toBe(2);
      });

      it('knows where partitions begin and end', async () => {
        const topic = await freshTopic();
        await append(topic, keyOf(1), 'a', 'b');
        expect(await log.admin.endOffsets(topic)).toEqual(
          new Map([0, 1, 2, 3].map((partition) => [partition, partition === 1 ? 2n : 0n])),
        );
        expect(await log.admin.beginningOffsets(topic)).toEqual(new Map([0, 1, 2, 3].map((partition) => [partition, 0n])));
      });
    });

    describe('subscribing', () => {
      it('starts at the stored offset, whatever was committed, in batches of the asked size', async () => {
        const topic = await freshTopic(1);
        await append(topic, 'k', ...Array.from({ length: 25 }, (_, n) => String(n)));
        const batches: RecordBatch[] = [];
        const subscription = await subscribe({
          ...consumer().options(randomUUID(), topic),
          maxRecords: 10,
          startAt: async () => new Map([[partitionKey(topic, 0), 3n]]),
          onBatch: async (batch) => void batches.push(batch),
        });
        await until(() => batches.at(-1)?.lastOffset === 24n);
        expect(batches.flatMap(({ records }) => records.map(textOf))).toEqual(
          Array.from({ length: 22 }, (_, n) => String(n + 3)),
        );
        for (const batch of batches) {
          expect(batch.records.length).toBeLessThanOrEqual(10);
          expect(batch.records[0]?.offset).toBe(batch.firstOffset);
          expect(batch.records.at(-1)?.offset).toBe(batch.lastOffset);
          expect(batch.endOffset).toBe(25n);
          expect(batch.isStale()).toBe(false);
        }
        expect(subscription.assigned()).toEqual([{ topic, partition: 0 }]);
        expect(Math.abs(Date.now() - subscription.lastPollAt())).toBeLessThan(5000);
        await append(topic, 'k', 'live');
        await until(() => textOf(batches.at(-1)?.records.at(-1)) === 'live');
        await subscription.close();
      });

      it('shares partitions, and after each rebalance goes on from the stored offsets', async () => {
        const topic = await freshTopic();
        const groupId = randomUUID();
        const shared = consumer();
        const total = 400;
        const producing = (async () => {
          for (let n = 0; n < total; n += 4) await Promise.all(keys.map((key, k) => append(topic, key, String(n + k))));
        })();
        const first = await subscribe(shared.options(groupId, topic, { maxRecords: 5 }));
        await until(() => shared.applied.length > 10);
        const second = await subscribe(shared.options(groupId, topic, { maxRecords: 5 }));
        await until(() => first.assigned().length === 2 && second.assigned().length === 2);
        await producing;
        await second.close();
        await until(() => first.assigned().length === PARTITIONS);
        await until(() => shared.applied.length >= total);
        await first.close();
        expect(shared.applied).toHaveLength(total);
        expect(new Set(shared.applied.map(textOf)).size).toBe(total);
        for (const [partition, key] of keys.entries()) {
          const own = shared.applied.filter((record) => record.key?.toString() === key);
          expect(own.map(({ offset }) => offset)).toEqual(Array.from({ length: total / 4 }, (_, n) => BigInt(n)));
          expect(own.every((record) => record.partition === partition)).toBe(true);
        }
        expect(shared.crashes).toEqual([]);
      });

      it('calls a batch stale, aborts its signal and drops its error once the partition was taken away', async () => {
        const topic = await freshTopic(1);
        const groupId = randomUUID();
        await append(topic, 'k', 'a');
        const shared = consumer();
        const options = shared.options(groupId, topic, { sessionTimeoutMs: 6000, rebalanceTimeoutMs: 500 });
        let held: RecordBatch | undefined;
        let release = (): void => undefined;
        await subscribe({
          ...options,
          onBatch: async (batch) => {
            if (held) return options.onBatch(batch);
            held = batch;
            await new Promise<void>((resolve) => (release = resolve));
            throw new PlatformError('INTERNAL', 'an error of a batch that no longer counts');
          },
        });
        const batch = await until(() => held);
        expect(batch.isStale()).toBe(false);
        const joining = subscribe(options);
        await until(() => batch.isStale(), { timeoutMs: 20_000 });
        expect(batch.signal.aborted).toBe(true);
        await expect(batch.heartbeat()).rejects.toMatchObject({ code: 'STALE_EPOCH' });
        release();
        await joining;
        // Whichever member owns the partition now.
        await until(() => shared.applied.length === 1, { timeoutMs: 20_000 });
        expect(shared.crashes).toEqual([]);
      });

      it('holds back one partition while its trouble passes, and only that one', async () => {
        const topic = await freshTopic();
        for (const key of keys) await append(topic, key, 'first', 'second');
        const sut = consumer();
        const options = sut.options(randomUUID(), topic);
        let failures = 0;
        let othersDone = false;
        const subscription = await subscribe({
          ...options,
          onBatch: async (batch) => {
            if (batch.partition === 2 && (failures < 3 || !othersDone)) {
              failures++;
              throw new PlatformError('DATABASE_UNAVAILABLE', 'passes');
            }
            await options.onBatch(batch);
          },
        });
        await until(() => sut.applied.filter(({ partition }) => partition !== 2).length === 6);
        othersDone = true;
        await until(() => sut.applied.length === 8);
        expect(failures).toBeGreaterThanOrEqual(3);
        expect(sut.applied.filter(({ partition }) => partition === 2).map(textOf)).toEqual(['first', 'second']);
        expect(sut.crashes).toEqual([]);
        await subscription.close();
      });

      it('waits for start offsets that cannot be had for a while', async () => {
        const topic = await freshTopic(1);
        await append(topic, 'k', 'a');
        const sut = consumer();
        const options = sut.options(randomUUID(), topic);
        let asked = 0;
        await subscribe({
          ...options,
          startAt: async (partitions) => {
            if (++asked < 3) throw new PlatformError('DATABASE_UNAVAILABLE', 'passes');
            return options.startAt(partitions);
          },
        });
        await until(() => sut.applied.length === 1);
        expect(asked).toBeGreaterThanOrEqual(3);
      });

      it('ends once, with the cause, when a batch fails for good', async () => {
        const topic = await freshTopic();
        for (const key of keys) await append(topic, key, 'a');
        const crashes: Error[] = [];
        const subscription = await subscribe(
          consumer().options(randomUUID(), topic, {
            onBatch: async () => {
              throw new TypeError('a bug');
            },
            onCrash: (error) => void crashes.push(error),
          }),
        );
        await until(() => crashes.length > 0);
        await subscription.close();
        expect(crashes.map(({ message }) => message)).toEqual(['a bug']);
      });

      it('stops instead of jumping when the stored offset is not on the log', async () => {
        for (const offset of [7n, -1n]) {
          const topic = await freshTopic(1);
          await append(topic, 'k', 'a');
          const sut = consumer();
          await subscribe(sut.options(randomUUID(), topic, { startAt: async () => new Map([[partitionKey(topic, 0), offset]]) }));
          await until(() => sut.crashes.length > 0);
          expect(sut.crashes).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE' }]);
          expect(sut.applied).toEqual([]);
        }
      });

      it('closes after the running batch, begins none, and has committed exactly what was applied', async () => {
        const topic = await freshTopic(1);
        const groupId = randomUUID();
        await append(topic, 'k', ...Array.from({ length: 30 }, (_, n) => String(n)));
        const sut = consumer();
        const options = sut.options(groupId, topic, { maxRecords: 10 });
        let entered = 0;
        let release = (): void => undefined;
        const subscription = await subscribe({
          ...options,
          onBatch: async (batch) => {
            entered++;
            if (batch.firstOffset === 10n) await new Promise<void>((resolve) => (release = resolve));
            expect(batch.signal.aborted).toBe(false);
            await options.onBatch(batch);
          },
        });
        await until(() => entered === 2);
        let closed = false;
        const closing = subscription.close().then(() => (closed = true));
        await Promise.resolve();
        expect(closed).toBe(false);
        release();
        await closing;
        expect(sut.applied).toHaveLength(20);
        expect(entered).toBe(2);
        expect(await log.admin.committedOffsets(groupId, topic)).toEqual(new Map([[0, 20n]]));
        expect(subscription.assigned()).toEqual([]);
        // and a successor goes on there
        await subscribe(options);
        await until(() => sut.applied.length === 30);
        expect(sut.crashes).toEqual([]);
      });
    });
  });
};
