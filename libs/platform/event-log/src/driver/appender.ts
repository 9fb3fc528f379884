import { PlatformError } from '@centralita/contracts';
import { recordTooLarge, sizeOf } from '../failures.js';
import { partitionOf } from '../partitioner.js';
import { partitionKey, type LogLogger, type LogMetrics, type LogRecord, type TopicPartition } from '../port.js';
import { isProducerLost, protocolCodeOf, toPlatformError } from './errors.js';

/** A record with the partition that it goes to, whichever producer takes it there. */
export type PlacedRecord = LogRecord & { readonly partition: number; readonly bytes: number };

/** An idempotent producer with acks -1, of whatever client. */
export type Producer = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Sends all or throws; while it tries again, the records keep their sequence numbers. Gives the partitions that were acknowledged. */
  send(records: readonly PlacedRecord[]): Promise<readonly Acknowledged[]>;
};

/** `offset`: of the first record, or null when the broker only knows that it has had them before. */
export type Acknowledged = TopicPartition & { readonly offset: bigint | null };

export type TopicLimits = { readonly partitions: number; readonly maxRecordBytes: number };

export type AppenderOptions = {
  readonly createProducer: () => Producer;
  /** Throws TOPIC_UNKNOWN; expected to cache. */
  readonly limitsOf: (topic: string) => Promise<TopicLimits>;
  readonly logger: LogLogger;
  readonly metrics: LogMetrics;
  /** Records per partition after which a producer is replaced, long before its 31-bit sequence wraps. @default 10^9 */
  readonly replaceAfter?: number;
};

/** One request stays below the default `max.message.bytes` even if all of it goes to one partition. */
const REQUEST_BYTES = 900_000;
const UNKNOWN_TOPIC = 3;
/** New producers for one request. Each may write it again: key_version or inbox absorb that. */
const MAX_PRODUCERS = 4;

type Entry = { readonly records: readonly LogRecord[]; resolve(): void; reject(error: unknown): void };

/**
 * Appends through an idempotent producer, one request at a time. That is not only for order. In both clients a request that failed
 * gives its sequence numbers back even if the broker has stored it; the next *different* request would then carry the same numbers
 * and be acknowledged as a duplicate without being stored. So nothing else is sent while a request is retried, a producer that has
 * failed is never used again, and partitions are fixed before the first try. Waiting appends share the next request.
 */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #queue: Entry[] = [];
  #running: Promise<void> | null = null;
  #producer: Producer | null = null;
  #sent = new Map<string, number>();
  /** Offset of the last acknowledgement of each partition, over all producers. */
  readonly #reached = new Map<string, bigint>();
  #spread = 0;
  #closed = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  append(records: readonly LogRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new PlatformError('DRAINING', 'the log is closed'));
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running) await this.#running;
    await this.#disconnect();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const { entries, placed } = await this.#gather();
      let from = 0;
      let settled = 0;
      try {
        for (const request of requests(placed)) {
          await this.#send(request);
          from += request.length;
          for (; settled < entries.length && (entries[settled]?.until ?? 0) <= from; settled++) entries[settled]?.entry.resolve();
        }
      } catch (error) {
        for (const { entry } of entries.slice(settled)) entry.reject(error);
      }
    }
    // In the same turn as the last look at the queue, or an append could wait for ever.
    this.#running = null;
  }

  /** Takes waiting appends until a request is full; those that can never be stored are rejected here, before anything is sent. */
  async #gather(): Promise<{ entries: { entry: Entry; until: number }[]; placed: PlacedRecord[] }> {
    const entries: { entry: Entry; until: number }[] = [];
    const placed: PlacedRecord[] = [];
    let bytes = 0;
    for (let entry = this.#queue.shift(); entry; entry = bytes < REQUEST_BYTES ? this.#queue.shift() : undefined) {
      try {
        for (const record of await this.#place(entry.records)) {
          placed.push(record);
          bytes += record.bytes;
        }
        entries.push({ entry, until: placed.length });
      } catch (error) {
        entry.reject(error);
      }
    }
    return { entries, placed };
  }

  async #place(records: readonly LogRecord[]): Promise<PlacedRecord[]> {
    const limits = new Map<string, TopicLimits>();
    for (const { topic } of records) if (!limits.has(topic)) limits.set(topic, await this.#options.limitsOf(topic));
    return records.map((record) => {
      const { partitions, maxRecordBytes } = limits.get(record.topic) as TopicLimits;
      const bytes = sizeOf(record);
      if (bytes > maxRecordBytes) throw recordTooLarge(record.topic, bytes, maxRecordBytes);
      const partition = record.key === null ? this.#spread++ % partitions : partitionOf(record.key, partitions);
      return { ...record, partition, bytes };
    });
  }

  async #send(request: readonly PlacedRecord[]): Promise<void> {
    const { metrics } = this.#options;
    const started = performance.now();
    const sample = { records: request.length, bytes: request.reduce((sum, { bytes }) => sum + bytes, 0) };
    let ok = false;
    try {
      let missing = request;
      for (let producers = 1; missing.length > 0; producers++)
        missing = await this.#attempt(missing, producers === MAX_PRODUCERS);
      ok = true;
    } finally {
      metrics.appended?.({ ...sample, seconds: (performance.now() - started) / 1000, ok });
    }
  }

  /** Sends with the current producer and gives back what has to be sent again with a new one. */
  async #attempt(request: readonly PlacedRecord[], last: boolean): Promise<readonly PlacedRecord[]> {
    const stored = new Set<string>();
    try {
      const producer = await this.#connected();
      for (const acknowledged of await producer.send(request)) {
        this.#requireGrown(acknowledged);
        stored.add(partitionKey(acknowledged.topic, acknowledged.partition));
      }
    } catch (error) {
      // Topics were checked before: an unknown one is one that the producer remembers from earlier and that is gone.
      const lost = isProducerLost(error) || protocolCodeOf(error) === UNKNOWN_TOPIC;
      this.#drop(lost ? 'producer lost' : 'send failed');
      if (lost && !last) return request;
      throw toPlatformError(error, 'append failed');
    }
    // When leadership moves to a broker that has already answered, kafkajs resolves without sending the moved partitions.
    const missing = request.filter(({ topic, partition }) => !stored.has(partitionKey(topic, partition)));
    if (missing.length > 0) {
      this.#drop('partitions not acknowledged');
      if (last) throw new PlatformError('LOG_UNAVAILABLE', 'append failed: partitions were not acknowledged');
      return missing;
    }
    this.#count(request);
    return [];
  }

  /**
   * A partition whose offsets go back has lost its tail, with records that were acknowledged: an older copy of its disk, or another log.
   * What was written to it now would be gone with the right one, so nobody may be told that it is stored. The mark stays: with the right
   * log back, appends succeed again.
   */
  #requireGrown({ topic, partition, offset }: Acknowledged): void {
    if (offset === null) return;
    const place = partitionKey(topic, partition);
    const reached = this.#reached.get(place);
    if (reached !== undefined && offset <= reached)
      throw new PlatformError('LOG_BEHIND_STORE', `${place} ends before what was acknowledged`, {
        topic,
        partition,
        offset: offset.toString(),
        acknowledged: reached.toString(),
      });
    this.#reached.set(place, offset);
  }

  async #connected(): Promise<Producer> {
    if (!this.#producer) {
      this.#producer = this.#options.createProducer();
      await this.#producer.connect();
    }
    return this.#producer;
  }

  #count(request: readonly PlacedRecord[]): void {
    let most = 0;
    for (const { topic, partition } of request) {
      const count = (this.#sent.get(partitionKey(topic, partition)) ?? 0) + 1;
      this.#sent.set(partitionKey(topic, partition), count);
      most = Math.max(most, count);
    }
    if (most >= (this.#options.replaceAfter ?? 1_000_000_000)) this.#drop('sequence worn');
  }

  #drop(reason: string): void {
    if (!this.#producer) return;
    this.#options.metrics.producerReplaced?.({ reason });
    this.#options.logger.warn({ reason }, 'producer is replaced');
    // Not awaited: a producer that has failed may wait for an answer that never comes.
    void this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    this.#sent = new Map();
    await producer?.disconnect().catch(() => undefined);
  }
}

/** Splits so that no request grows beyond the limit; one record alone may, up to the topic's own limit. */
function* requests(placed: readonly PlacedRecord[]): Generator<readonly PlacedRecord[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, record] of placed.entries()) {
    if (index > from && bytes + record.bytes > REQUEST_BYTES) {
      yield placed.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += record.bytes;
  }
  if (from < placed.length) yield placed.slice(from);
}
