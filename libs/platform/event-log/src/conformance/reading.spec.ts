import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import type { StoredRecord } from '../index.js';
import { PARTITIONS, type Harness } from './harness.spec.js';

export const describeReading = (harness: Harness): void => {
  const { freshTopic, textOf, append, keyOf, log } = harness;

  describe('reading', () => {
    it('gives exactly the asked ranges, in order, and knows what is not there', async () => {
      const topic = await freshTopic();
      for (const partition of [0, 1])
        await append(topic, keyOf(partition), ...Array.from({ length: 30 }, (_, n) => `${partition}/${n}`));
      const seen: StoredRecord[] = [];
      await log().read(
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
      const beyond = log().read([{ topic, partition: 0, from: 0n, to: 31n }], async (records) => void seen.push(...records));
      await expect(beyond).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', retryable: false });
      await expect(log().read([{ topic, partition: 9, from: 0n, to: 0n }], async () => undefined)).rejects.toMatchObject({
        code: 'TOPIC_UNKNOWN',
      });
      expect(seen).toHaveLength(8);
    });

    it('ends with the error of its reader', async () => {
      const topic = await freshTopic(1);
      await append(topic, 'k', 'a');
      const failed = log().read([{ topic, partition: 0, from: 0n, to: 1n }], async () => {
        throw new PlatformError('RECORD_INVALID', 'tampered');
      });
      await expect(failed).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    });

    it('finds the last record that matches, within its look back', async () => {
      const topic = await freshTopic(1);
      await append(topic, 'k', ...Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? `own ${n}` : `other ${n}`)));
      const own = (record: StoredRecord) => textOf(record)?.startsWith('own') === true;
      expect(textOf((await log().lastRecord(topic, 0, () => true)) ?? undefined)).toBe('other 99');
      expect(textOf((await log().lastRecord(topic, 0, own)) ?? undefined)).toBe('own 90');
      expect(await log().lastRecord(topic, 0, own, 9)).toBeNull();
      expect(textOf((await log().lastRecord(topic, 0, (record) => textOf(record) === 'own 0')) ?? undefined)).toBe('own 0');
      expect(await log().lastRecord(topic, 0, () => false)).toBeNull();
      expect(await log().lastRecord(await freshTopic(1), 0, () => true)).toBeNull();
    });
  });

  describe('administering', () => {
    it('describes what exists, and tells a topic by an id', async () => {
      const [one, two] = [await freshTopic(), await freshTopic()];
      const [described, ...others] = await log().admin.describeTopics([one, 'nowhere']);
      expect(others).toEqual([]);
      expect(described).toMatchObject({
        name: one,
        partitions: PARTITIONS,
        config: { 'retention.ms': '-1', 'cleanup.policy': 'delete' },
      });
      const ids = await log().admin.topicIds([one, two]);
      expect(ids.get(one)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(ids.get(one)).not.toBe(ids.get(two));
      expect(await log().admin.topicIds([one])).toEqual(new Map([[one, ids.get(one)]]));
      expect(await log().admin.clusterId()).toBe(await log().admin.clusterId());
    });

    it('leaves an existing topic as it is', async () => {
      const topic = await freshTopic(2);
      await log().admin.createTopics([{ name: topic, partitions: 7, replicationFactor: 1 }]);
      expect((await log().admin.describeTopics([topic]))[0]?.partitions).toBe(2);
    });

    it('knows where partitions begin and end', async () => {
      const topic = await freshTopic();
      await append(topic, keyOf(1), 'a', 'b');
      expect(await log().admin.endOffsets(topic)).toEqual(
        new Map([0, 1, 2, 3].map((partition) => [partition, partition === 1 ? 2n : 0n])),
      );
      expect(await log().admin.beginningOffsets(topic)).toEqual(new Map([0, 1, 2, 3].map((partition) => [partition, 0n])));
    });
  });
};
