import { randomUUID } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import {
  partitionKey,
  partitionOf,
  topicSpecs,
  type EventLog,
  type RecordBatch,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
} from '../index.js';

export const PARTITIONS = 4;

export type Consumer = {
  /** Records as they were applied, with the partitions' stored offsets checked as a consumer's transaction does. */
  applied: StoredRecord[];
  options(groupId: string, topic: string, more?: Partial<SubscribeOptions>): SubscribeOptions;
  crashes: Error[];
};

/** What the aspects of the suite share: one log; topics and groups of its own for each test. */
export type Harness = {
  log(): EventLog;
  freshTopic(partitions?: number): Promise<string>;
  readAll(topic: string): Promise<StoredRecord[]>;
  textOf(record: StoredRecord | undefined): string | undefined;
  append(topic: string, key: string | null, ...values: string[]): Promise<void>;
  /** A key for each partition. */
  readonly keys: readonly string[];
  keyOf(partition: number): string;
  consumer(): Consumer;
  /** As the log does; closed with the harness. */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
};

export const createHarness = (logOf: () => EventLog): Harness => {
  const subscriptions: Subscription[] = [];
  const freshTopic = async (partitions = PARTITIONS): Promise<string> => {
    const topic = `conformance.${randomUUID()}`;
    await logOf().admin.createTopics([{ name: topic, partitions, replicationFactor: 1, config: topicSpecs[0]?.config ?? {} }]);
    return topic;
  };
  const readAll = async (topic: string): Promise<StoredRecord[]> => {
    const [from, to] = [await logOf().admin.beginningOffsets(topic), await logOf().admin.endOffsets(topic)];
    const ranges = [...to].map(([partition, end]) => ({ topic, partition, from: from.get(partition) ?? 0n, to: end }));
    const all: StoredRecord[] = [];
    await logOf().read(ranges, async (records) => void all.push(...records));
    return all;
  };
  const textOf = (record: StoredRecord | undefined): string | undefined => record?.value?.toString();
  const append = (topic: string, key: string | null, ...values: string[]): Promise<void> =>
    logOf().append(values.map((value) => ({ topic, key, value: Buffer.from(value) })));
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
    const subscription = await logOf().subscribe(options);
    subscriptions.push(subscription);
    return subscription;
  };

  const close = async (): Promise<void> => {
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
    await logOf().close();
  };
  return { freshTopic, readAll, textOf, append, keys, keyOf, consumer, subscribe, close, log: logOf };
};
