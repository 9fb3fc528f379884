import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import { partitionKey, recordLeaf, type RecordBatch, type StoredRecord } from '../index.js';
import { PARTITIONS, type Harness } from './harness.spec.js';

export const describeSubscribing = (harness: Harness): void => {
  const { freshTopic, readAll, textOf, append, keys, consumer, subscribe, log } = harness;

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
      expect(batches.flatMap(({ records }) => records.map(textOf))).toEqual(Array.from({ length: 22 }, (_, n) => String(n + 3)));
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

    it('serves every partition of all of its topics, also while one is silent and one never runs dry', async () => {
      // The silent one comes first wherever partitions are looked at in their order.
      const topics = [await freshTopic(), await freshTopic(), await freshTopic()].sort();
      const sut = consumer();
      const [, busy = '', ...others] = topics;
      const subscription = await subscribe({ ...sut.options(randomUUID(), busy), topics });
      for (const topic of [busy, ...others]) await Promise.all(keys.map((key) => append(topic, key, 'a', 'b')));
      let feeding = true;
      const feeder = (async () => {
        while (feeding) {
          await append(busy, keys[0] ?? null, 'more');
          // The log in memory needs no turn of the event loop, everybody else here does.
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      const ofOthers = () => sut.applied.filter(({ topic }) => topic !== busy).length;
      await until(() => ofOthers() === 2 * PARTITIONS * others.length).finally(() => (feeding = false));
      await feeder;
      expect(sut.crashes).toEqual([]);
      await subscription.close();
    });

    it('hands over what stands on the log, byte for byte, with its key, headers and time', async () => {
      const topic = await freshTopic(1);
      const headers = { 'content-type': 'application/cloudevents+json', reason: 'Señal ✓', empty: '' };
      const big = Buffer.alloc(1_000_000, 'x');
      await log().append([
        { topic, key: 'ключ', value: Buffer.from([0, 255, 128]), headers },
        { topic, key: null, value: null },
        { topic, key: '', value: big },
      ]);
      await log().append([{ topic, key: 'k', value: big }]);
      const sut = consumer();
      const subscription = await subscribe(sut.options(randomUUID(), topic));
      await until(() => sut.applied.length === 4);
      const bytesOf = (records: readonly StoredRecord[]) =>
        records.map((record) => ({ leaf: recordLeaf(record).toString('hex'), timestamp: record.timestamp }));
      expect(bytesOf(sut.applied)).toEqual(bytesOf(await readAll(topic)));
      expect(sut.applied[0]?.headers['reason']).toEqual(Buffer.from(headers.reason));
      await subscription.close();
    });

    it('has one batch of a partition under way, and no more of all than it was asked for', async () => {
      for (const concurrency of [1, 3]) {
        const topic = await freshTopic();
        await Promise.all(keys.map((key) => append(topic, key, ...Array.from({ length: 12 }, (_, n) => String(n)))));
        const sut = consumer();
        const options = sut.options(randomUUID(), topic, { maxRecords: 3, concurrency });
        const running: number[] = [];
        let most = 0;
        const subscription = await subscribe({
          ...options,
          onBatch: async (batch) => {
            expect(running).not.toContain(batch.partition);
            running.push(batch.partition);
            most = Math.max(most, running.length);
            await new Promise((resolve) => setImmediate(resolve));
            await options.onBatch(batch);
            running.splice(running.indexOf(batch.partition), 1);
          },
        });
        await until(() => sut.applied.length === 12 * PARTITIONS);
        expect(most).toBeLessThanOrEqual(concurrency);
        expect(sut.crashes).toEqual([]);
        await subscription.close();
      }
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
      expect(await log().admin.committedOffsets(groupId, topic)).toEqual(new Map([[0, 20n]]));
      expect(subscription.assigned()).toEqual([]);
      // and a successor goes on there
      await subscribe(options);
      await until(() => sut.applied.length === 30);
      expect(sut.crashes).toEqual([]);
    });
  });
};
