import type { Broker } from '@platformatic/kafka';
import type { Position } from '../driver/assignment.js';
import { protocolCodeOf, toPlatformError } from '../driver/errors.js';
import { partitionKey, type StoredRecord, type TopicPartition } from '../port.js';
import { protocolError } from './answers.js';
import type { Directory } from './directory.js';
import { fetchFrom, type Fetched } from './fetch.js';
import type { Wire } from './wire.js';

export type PullerOptions = {
  readonly directory: Directory;
  readonly wire: Wire;
  readonly maxWaitMs: number;
  readonly maxRecords: number;
  readonly concurrency: number;
  /** False: no batch may begin any more. */
  readonly mayBegin: () => boolean;
  /** Applies a batch; false when the partition must not go on from here. */
  readonly apply: (position: Position, records: readonly StoredRecord[], endOffset: bigint) => Promise<boolean>;
  /** After each completed fetch. */
  readonly polled: () => void;
  /** What no further fetch can cure. */
  readonly failed: (error: unknown) => void;
};

type Cursor = {
  readonly position: Position;
  /** The topic that the position was sought in. */
  readonly topicId: string | undefined;
  next: bigint;
  records: StoredRecord[];
  bytes: number;
  endOffset: bigint;
  busy: boolean;
  /** Monotonic milliseconds before which it is not fetched. */
  notBefore: number;
  /** Since when the log does not have what is wanted. */
  missingSince: number | null;
};

/** Decoded at once, so not more than the event loop can take between two heartbeats. */
const REQUEST_BYTES = 2 * 1024 * 1024;
/** Bytes that wait for their batches, in a partition and in all. */
const PARTITION_BYTES = 1024 * 1024;
const ALL_BYTES = 4 * 1024 * 1024;
/** Longest wait of a fetch that a partition misses because it has enough: it wants to be in the next one. */
const BUSY_WAIT_MS = 50;
const TROUBLE_MS = 250;
/** A broker that does not know yet that it is not the leader any more can have less than was read: it learns within its session. */
const GRACE_MS = 10_000;

const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC = 3;
/** OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INCONSISTENT_TOPIC_ID: the records may be gone. */
const missing: ReadonlySet<number | undefined> = new Set([OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC, 100, 103]);

/**
 * Fetches the partitions of one assignment and hands their records over in batches: one request under way to each broker, one batch under
 * way in each partition, `concurrency` of them in all. Whatever changes, {@link Puller.pump} looks what can be begun now. The client's
 * stream of messages is not used: it knows neither batches nor the end of a partition, and it can only be paused as a whole.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #cursors = new Map<string, Cursor>();
  readonly #asked = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #working = 0;
  #stopped = false;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /** True while a broker has a request to answer. */
  get fetching(): boolean {
    return this.#asked.size > 0;
  }

  /** Reads a partition from here on; what was fetched of it before no longer counts. */
  resume(position: Position): void {
    this.#cursors.set(keyOf(position), {
      position,
      topicId: this.#options.directory.known(position.topic)?.id,
      next: position.next,
      records: [],
      bytes: 0,
      endOffset: position.next,
      busy: false,
      notBefore: 0,
      missingSince: null,
    });
  }

  /** Forgets a partition until it is resumed. */
  hold(where: TopicPartition): void {
    this.#cursors.delete(keyOf(where));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  pump(): void {
    if (this.#stopped) return;
    for (const cursor of [...this.#cursors.values()]) {
      if (this.#working >= this.#options.concurrency || !this.#options.mayBegin()) break;
      if (!cursor.busy && cursor.records.length > 0) void this.#work(cursor);
    }
    this.#fetch();
  }

  async #work(cursor: Cursor): Promise<void> {
    const key = keyOf(cursor.position);
    const records = cursor.records.splice(0, this.#options.maxRecords);
    for (const record of records) cursor.bytes -= bytesOf(record);
    // To the back: whoever was served waits for the others.
    this.#cursors.delete(key);
    this.#cursors.set(key, cursor);
    cursor.busy = true;
    this.#working++;
    try {
      if (!(await this.#options.apply(cursor.position, records, cursor.endOffset)) && this.#cursors.get(key) === cursor)
        this.#cursors.delete(key);
    } finally {
      cursor.busy = false;
      this.#working--;
      this.pump();
    }
  }

  #fetch(): void {
    let bytes = 0;
    for (const cursor of this.#cursors.values()) bytes += cursor.bytes;
    if (bytes >= ALL_BYTES) return;
    const now = performance.now();
    const due = [...this.#cursors.values()].filter(({ notBefore }) => notBefore <= now);
    for (const [broker, led] of Map.groupBy(due, (cursor) => this.#brokerOf(cursor))) {
      if (!broker) void this.#trouble(led);
      else if (!this.#asked.has(nameOf(broker))) {
        const wanted = led.filter((cursor) => cursor.bytes < PARTITION_BYTES);
        if (wanted.length > 0) void this.#ask(broker, wanted, wanted.length < led.length);
      }
    }
  }

  /** Undefined while nobody is known to lead the partition. */
  #brokerOf(cursor: Cursor): Broker | undefined {
    const { topic, partition } = cursor.position;
    const info = this.#options.directory.known(topic);
    if (!info) this.#lacks(cursor, UNKNOWN_TOPIC);
    // Made again under its old name: its offsets are others, even those that exist.
    else if (info.id !== cursor.topicId) this.#fail(cursor, OFFSET_OUT_OF_RANGE);
    return info?.leaders[partition]?.broker;
  }

  async #ask(broker: Broker, wanted: readonly Cursor[], inHaste: boolean): Promise<void> {
    const { maxWaitMs, polled } = this.#options;
    const asked = new Map(wanted.map((cursor) => [cursor, cursor.next]));
    this.#asked.add(nameOf(broker));
    try {
      const fetched = await fetchFrom(
        this.#options,
        broker,
        wanted.map(({ position: { topic, partition }, next }) => ({ topic, partition, from: next })),
        { maxWaitMs: inHaste ? Math.min(maxWaitMs, BUSY_WAIT_MS) : maxWaitMs, requestBytes: REQUEST_BYTES },
      );
      this.#asked.delete(nameOf(broker));
      if (this.#stopped) return;
      polled();
      const troubled = fetched.flatMap((answer) => {
        const cursor = this.#cursors.get(keyOf(answer));
        // Only what continues the cursor: the partition may have been sought anew meanwhile.
        return cursor && asked.get(cursor) === cursor.next && !this.#take(cursor, answer) ? [cursor] : [];
      });
      if (troubled.length > 0) await this.#trouble(troubled);
      else this.pump();
    } catch (error) {
      this.#asked.delete(nameOf(broker));
      if (this.#stopped) return;
      if (protocolCodeOf(error) !== undefined && !toPlatformError(error, 'fetch').retryable) this.#options.failed(error);
      else await this.#trouble(wanted);
    }
  }

  /** False when the partition is in trouble. */
  #take(cursor: Cursor, { records, next, endOffset, code }: Fetched): boolean {
    if (code === 0) {
      cursor.missingSince = null;
      cursor.next = next;
      cursor.endOffset = endOffset;
      for (const record of records) {
        cursor.records.push(record);
        cursor.bytes += bytesOf(record);
      }
      return true;
    }
    if (missing.has(code)) this.#lacks(cursor, code);
    else if (!toPlatformError(protocolError(code), 'fetch').retryable) this.#fail(cursor, code);
    return false;
  }

  /** The log does not have what is wanted: final when it stays so. */
  #lacks(cursor: Cursor, code: number): void {
    cursor.missingSince ??= performance.now();
    if (performance.now() - cursor.missingSince >= GRACE_MS) this.#fail(cursor, code);
  }

  #fail({ position: { topic, partition } }: Cursor, code: number): void {
    this.#options.failed(Object.assign(protocolError(code), { topic, partition }));
  }

  /** Leaves partitions alone for a moment and asks who leads them now. */
  async #trouble(cursors: readonly Cursor[]): Promise<void> {
    for (const cursor of cursors) cursor.notBefore = performance.now() + TROUBLE_MS;
    const topics = [...new Set(cursors.map(({ position }) => position.topic))];
    await this.#options.directory.existing(topics).catch(() => undefined);
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.pump();
    }, TROUBLE_MS).unref();
    this.#timers.add(timer);
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => partitionKey(topic, partition);

const nameOf = ({ host, port }: Broker): string => `${host}:${port}`;

const bytesOf = ({ key, value }: StoredRecord): number => (key?.length ?? 0) + (value?.length ?? 0) + 64;
