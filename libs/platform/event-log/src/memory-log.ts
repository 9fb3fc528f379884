import { randomUUID } from 'node:crypto';
import { PlatformError, type ErrorCode } from '@centralita/contracts';
import { recordTooLarge, requireWithin, sizeOf, topicUnknown } from './failures.js';
import { MemoryGroup } from './memory-group.js';
import { partitionOf } from './partitioner.js';
import type {
  EventLog,
  LogAdmin,
  LogRecord,
  OffsetRange,
  StoredRecord,
  SubscribeOptions,
  Subscription,
  TopicSpec,
} from './port.js';
import { topicSpecs } from './topics.js';

type MemoryTopic = { readonly id: string; readonly spec: TopicSpec; readonly partitions: StoredRecord[][] };

export type MemoryLogOptions = {
  /** Topics that exist from the start. @default the platform's nine */
  readonly topics?: readonly TopicSpec[];
  readonly clock?: () => Date;
  /** As a broker's `max.message.bytes`. @default 1048588 */
  readonly maxRecordBytes?: number;
};

/** What tests see and break beside the port. */
export type MemoryLog = EventLog & {
  /** All records of a topic, partition by partition. */
  records(topic: string): StoredRecord[];
  /** The next `times` appends reject with this code, and nothing is stored. */
  failAppends(code: ErrorCode, times?: number): void;
};

/**
 * The port in memory, for unit tests: partitions by the real partitioner, offsets, groups that rebalance, staleness, drain. It
 * behaves as the broker does where a consumer can tell the difference, and it passes the same conformance suite.
 */
export const createMemoryLog = (options: MemoryLogOptions = {}): MemoryLog => {
  const { clock = () => new Date(), maxRecordBytes = 1_048_588 } = options;
  const clusterId = randomUUID();
  const topics = new Map<string, MemoryTopic>();
  const groups = new Map<string, MemoryGroup>();
  const failures: ErrorCode[] = [];
  let spread = 0;
  let closed = false;

  const create = (spec: TopicSpec): void => {
    if (!topics.has(spec.name))
      topics.set(spec.name, { id: randomUUID(), spec, partitions: Array.from({ length: spec.partitions }, () => []) });
  };
  (options.topics ?? topicSpecs).forEach(create);

  const topicOf = (name: string): MemoryTopic => {
    const topic = topics.get(name);
    if (!topic) throw topicUnknown(name);
    return topic;
  };
  const recordsOf = (topic: string, partition: number): StoredRecord[] => {
    const records = topicOf(topic).partitions[partition];
    if (!records) throw topicUnknown(topic, partition);
    return records;
  };
  const requireOpen = (): void => {
    if (closed) throw new PlatformError('DRAINING', 'the log is closed');
  };

  const store = ({ topic, key, value, headers }: LogRecord): void => {
    const { partitions } = topicOf(topic);
    const partition = key === null ? spread++ % partitions.length : partitionOf(key, partitions.length);
    const records = recordsOf(topic, partition);
    records.push({
      topic,
      partition,
      offset: BigInt(records.length),
      key: key === null ? null : Buffer.from(key),
      // Copied, as a broker would: a caller may reuse its buffer.
      value: value === null ? null : Buffer.from(value),
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(text)])),
      timestamp: BigInt(clock().getTime()),
    });
  };

  const offsets = (topic: string, of: (records: readonly StoredRecord[]) => bigint): Map<number, bigint> =>
    new Map(topicOf(topic).partitions.map((records, partition) => [partition, of(records)]));

  const admin: LogAdmin = {
    clusterId: async () => clusterId,
    topicIds: async (names) => new Map(names.map((name) => [name, topicOf(name).id])),
    createTopics: async (specs) => specs.forEach(create),
    describeTopics: async (names) =>
      names.flatMap((name) => {
        const topic = topics.get(name);
        return topic ? [{ name, partitions: topic.spec.partitions, config: { ...topic.spec.config } }] : [];
      }),
    endOffsets: async (topic) => offsets(topic, (records) => BigInt(records.length)),
    beginningOffsets: async (topic) => offsets(topic, () => 0n),
    committedOffsets: async (groupId, topic) => {
      topicOf(topic);
      return groups.get(groupId)?.committed(topic) ?? new Map();
    },
  };

  return {
    admin,
    records: (topic) => topicOf(topic).partitions.flat(),
    failAppends: (code, times = 1) => void failures.push(...Array.from({ length: times }, () => code)),

    append: async (records) => {
      requireOpen();
      for (const record of records) {
        topicOf(record.topic);
        const size = sizeOf(record);
        if (size > maxRecordBytes) throw recordTooLarge(record.topic, size, maxRecordBytes);
      }
      // Callers must not count on a synchronous append.
      await Promise.resolve();
      const failure = failures.shift();
      if (failure) throw new PlatformError(failure, 'injected failure');
      records.forEach(store);
      for (const group of groups.values()) group.wake();
    },

    subscribe: async (subscribe: SubscribeOptions): Promise<Subscription> => {
      requireOpen();
      subscribe.topics.forEach(topicOf);
      let group = groups.get(subscribe.groupId);
      if (!group)
        groups.set(subscribe.groupId, (group = new MemoryGroup(recordsOf, (topic) => topicOf(topic).partitions.length)));
      return group.join(subscribe);
    },

    read: async (ranges: readonly OffsetRange[], onRecords) => {
      for (const range of ranges) {
        const end = BigInt(recordsOf(range.topic, range.partition).length);
        requireWithin(range, range.from, 0n, end);
        requireWithin(range, range.to, 0n, end);
      }
      for (const { topic, partition, from, to } of ranges) {
        const records = recordsOf(topic, partition);
        for (let at = Number(from); at < Number(to); at += 500)
          await onRecords(records.slice(at, Math.min(at + 500, Number(to))));
      }
    },

    lastRecord: async (topic, partition, matching, lookBack = 1000) =>
      recordsOf(topic, partition).slice(-lookBack).findLast(matching) ?? null,

    close: async () => {
      closed = true;
      await Promise.all([...groups.values()].map((group) => group.close()));
    },
  };
};
