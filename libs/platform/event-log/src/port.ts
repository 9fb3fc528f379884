/** A record to append. Keys and headers hold no personal data: nothing on the log is erased. */
export type LogRecord = {
  readonly topic: string;
  /** Unit of order: all records of one key stand in one partition, in append order. Null keys are spread. */
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A record as the log holds it; digests are taken over these bytes. */
export type StoredRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Milliseconds since the epoch, clock of the broker on the platform's topics. Not part of any digest. */
  readonly timestamp: bigint;
};

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** Records of one partition, in offset order, without holes. */
export type RecordBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly StoredRecord[];
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  /** Offset that the next record of the partition gets, as known when the batch was fetched: lag = endOffset - lastOffset - 1. */
  readonly endOffset: bigint;
  /** Tells the coordinator that this member lives. The driver does so by itself too; throws when the partition was taken away. */
  heartbeat(): Promise<void>;
  /** Aborted when the partition is taken away or the subscription fails, not by a graceful close: that waits for the batch. */
  readonly signal: AbortSignal;
  /** True once another member may own the partition: what is applied now must be refused by the stored offset. */
  isStale(): boolean;
};

export type SubscribeOptions = {
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * Applies a batch as a whole; resolving means applied. A retryable PlatformError pauses this partition alone, backs off, asks
   * `startAt` again and goes on; every other error ends the subscription and reaches `onCrash`. Errors of a stale batch are dropped.
   */
  onBatch(batch: RecordBatch): Promise<void>;
  /**
   * Next offset to read per partition (key `topic:partition`, see {@link partitionKey}), asked at each assignment: the stored
   * truth, never the broker's committed offset. A partition that is absent starts at its beginning.
   */
  startAt(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, bigint>>;
  /** Called once, after the subscription has ended by itself. The process is expected to exit. */
  onCrash(error: Error): void;
  /** Most records in one batch. @default 500 */
  readonly maxRecords?: number;
  /** Partitions handled at the same time by this member. @default 4 */
  readonly concurrency?: number;
  /** A member that is silent for longer loses its partitions; also the age at which a batch calls itself stale. @default 30000 */
  readonly sessionTimeoutMs?: number;
  /** How long a group waits for a member to give its partitions back before it goes on without it. @default 60000 */
  readonly rebalanceTimeoutMs?: number;
  /** Longest wait of one poll without records. @default 500 */
  readonly maxWaitMs?: number;
};

export type Subscription = {
  /** Lets running batches finish, then leaves the group. */
  close(): Promise<void>;
  /** Milliseconds since the epoch of the last completed poll, for liveness. */
  lastPollAt(): number;
  assigned(): readonly TopicPartition[];
};

export type TopicSpec = {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config?: Readonly<Record<string, string>>;
};

export type TopicDescription = {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
};

export type LogAdmin = {
  /** Identity of the cluster: offsets mean nothing on another one. */
  clusterId(): Promise<string>;
  /** Identity of each topic: a topic that was deleted and made again has another one. Throws TOPIC_UNKNOWN. */
  topicIds(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Creates what does not exist; existing topics are left as they are. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** Topics that exist, of those named. */
  describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]>;
  /** Offset that the next record gets, per partition. May lag behind acknowledgements for a moment after a leader has changed. */
  endOffsets(topic: string): Promise<Map<number, bigint>>;
  beginningOffsets(topic: string): Promise<Map<number, bigint>>;
  /** Offsets that a group has committed for lag tools; never where a consumer starts. */
  committedOffsets(groupId: string, topic: string): Promise<Map<number, bigint>>;
};

/** Offsets `from` (inclusive) to `to` (exclusive) of one partition. */
export type OffsetRange = TopicPartition & { readonly from: bigint; readonly to: bigint };

export type EventLog = {
  /** Resolves when every record is replicated (acks -1). After a rejection the records may or may not be on the log. */
  append(records: readonly LogRecord[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /**
   * Bounded replay: every record of the ranges, in order within a partition, partitions interleaved. Takes no part in any group.
   * Throws OFFSET_OUT_OF_RANGE before the first record when the log does not hold a range.
   */
  read(ranges: readonly OffsetRange[], onRecords: (records: readonly StoredRecord[]) => Promise<void>): Promise<void>;
  /** Newest record of a partition that matches, among its last `lookBack` records (@default 1000), or null. */
  lastRecord(
    topic: string,
    partition: number,
    matching: (record: StoredRecord) => boolean,
    lookBack?: number,
  ): Promise<StoredRecord | null>;
  readonly admin: LogAdmin;
  /** Ends subscriptions (draining them), waits for appends, disconnects. */
  close(): Promise<void>;
};

/** Structured logger; pino fits. Messages are constant, details hold ids and counts, never record bytes. */
export type LogLogger = {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
};

/** Plain callbacks for metrics; a throwing hook is a bug of the caller. All durations are seconds. */
export type LogMetrics = {
  /** After each produce request, successful or not. */
  appended?(sample: { records: number; bytes: number; seconds: number; ok: boolean }): void;
  /** A producer was replaced: its id is unknown, its sequence is worn, or a send failed. */
  producerReplaced?(sample: { reason: string }): void;
  /** After each batch; `lag` = records behind the end of the partition after this batch. */
  consumed?(sample: { groupId: string; topic: string; partition: number; records: number; lag: bigint; seconds: number }): void;
  /** A batch failed in a way that passes and will be tried again. */
  retried?(sample: { groupId: string; topic: string; partition: number; code: string }): void;
  /** The group gave this member an assignment. */
  rebalanced?(sample: { groupId: string; partitions: number }): void;
};

export const partitionKey = (topic: string, partition: number): string => `${topic}:${partition}`;
