import { randomUUID } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { partitionOf } from '../index.js';
import { PARTITIONS, type Harness } from './harness.spec.js';

export const describeAppending = (harness: Harness): void => {
  const { freshTopic, readAll, textOf, append, consumer, log } = harness;

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
      await log().append(Array.from({ length: 60 }, (_, n) => ({ topic, key: 'k', value: Buffer.alloc(50_000, n) })));
      const all = await readAll(topic);
      expect(all.map(({ value }) => value?.[0])).toEqual(Array.from({ length: 60 }, (_, n) => n));
    });

    it('refuses an oversize record for good, and goes on', async () => {
      const topic = await freshTopic(1);
      const refused = log().append([{ topic, key: 'k', value: Buffer.alloc(2_000_000) }]);
      const beside = append(topic, 'k', 'beside');
      await expect(refused).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', retryable: false });
      await beside;
      await append(topic, 'k', 'after');
      expect((await readAll(topic)).map(textOf)).toEqual(['beside', 'after']);
    });

    it('takes a record of 1 MB', async () => {
      const topic = await freshTopic(1);
      const value = Buffer.alloc(1_000_000, 'x');
      await log().append([{ topic, key: 'k', value }]);
      expect((await readAll(topic))[0]?.value?.equals(value)).toBe(true);
    });

    it('fails fast on an unknown topic, whoever asks', async () => {
      const started = performance.now();
      const topic = `unknown.${randomUUID()}`;
      const expected = { code: 'TOPIC_UNKNOWN', retryable: false };
      await expect(append(topic, 'k', 'v')).rejects.toMatchObject(expected);
      await expect(log().subscribe(consumer().options(randomUUID(), topic))).rejects.toMatchObject(expected);
      await expect(log().read([{ topic, partition: 0, from: 0n, to: 0n }], async () => undefined)).rejects.toMatchObject(
        expected,
      );
      await expect(log().admin.endOffsets(topic)).rejects.toMatchObject(expected);
      await expect(log().admin.topicIds([topic])).rejects.toMatchObject(expected);
      expect(performance.now() - started).toBeLessThan(5000);
    });

    it('round-trips header bytes, null keys and null values', async () => {
      const topic = await freshTopic(1);
      const headers = { 'content-type': 'application/cloudevents+json', name: 'Señal ✓ 信号', empty: '' };
      await log().append([
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
      const all = await readAll(topic);
      expect(all.map(textOf)).toEqual(['-30 days', '30 days']);
      // The broker's clock, which is this machine's.
      for (const { timestamp } of all) expect(Math.abs(Number(timestamp) - now)).toBeLessThan(3_600_000);
    });
  });
};
