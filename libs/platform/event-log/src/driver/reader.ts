import { PlatformError } from '@centralita/contracts';
import { requireWithin, topicUnknown } from '../failures.js';
import type { OffsetRange, StoredRecord, TopicPartition } from '../port.js';
import { persist } from './persist.js';

type Bounds = { readonly beginning: bigint; readonly end: bigint };
/** A place in a range that is being read; at most one of a partition at a time. */
export type Cursor = { readonly topic: string; readonly partition: number; next: bigint; readonly to: bigint };
export type Fetched = { readonly cursor: Cursor; readonly records: readonly StoredRecord[] };

export type ReaderDeps = {
  readonly boundsOf: (topic: string) => Promise<ReadonlyMap<number, Bounds>>;
  /** One round over the leaders: what each cursor's partition has from its offset on, records before it and after the range included. */
  readonly fetch: (cursors: readonly Cursor[]) => Promise<readonly Fetched[]>;
  /** Of what fails in a way that passes. @default some seconds of them */
  readonly tries?: number;
};

/** Attempts to find the end of a range on the log, about 1.5 s in all. */
const SURE_AFTER = 5;

/** Reads offsets without a group, straight from the leaders. */
export class Reader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  async read(ranges: readonly OffsetRange[], onRecords: (records: readonly StoredRecord[]) => Promise<void>): Promise<void> {
    const { fetch, tries } = this.#deps;
    await persist('read failed', (attempt) => this.#require(ranges, attempt < SURE_AFTER), tries);
    let open: Cursor[] = ranges.map(({ topic, partition, from, to }) => ({ topic, partition, next: from, to })).filter(isOpen);
    while (open.length > 0) {
      // One range of a partition at a time: a request asks for a partition once.
      const current = open.filter((cursor, at) => open.findIndex((other) => samePartition(other, cursor)) === at);
      const fetched = await persist('read failed', () => fetch(current), tries);
      // Cursors move here and not where records arrive: of a failed round nothing counts.
      for (const { cursor, records } of fetched) {
        const within = advance(cursor, records);
        if (within.length > 0) await onRecords(within);
      }
      open = open.filter(isOpen);
    }
  }

  async lastRecord(
    topic: string,
    partition: number,
    matching: (record: StoredRecord) => boolean,
    lookBack: number,
  ): Promise<StoredRecord | null> {
    const bounds = (await this.#deps.boundsOf(topic)).get(partition);
    if (!bounds) throw topicUnknown(topic, partition);
    const first = bounds.end - BigInt(lookBack) > bounds.beginning ? bounds.end - BigInt(lookBack) : bounds.beginning;
    // In windows from the end: what is looked for is nearly always among the last few.
    for (let to = bounds.end, window = 16n; to > first; window *= 4n) {
      const from = to - window > first ? to - window : first;
      let found: StoredRecord | null = null;
      await this.read([{ topic, partition, from, to }], async (records) => void (found = records.findLast(matching) ?? found));
      if (found) return found;
      to = from;
    }
    return null;
  }

  /** Throws OFFSET_OUT_OF_RANGE, or first LOG_UNAVAILABLE while a leader that changed may still be behind. */
  async #require(ranges: readonly OffsetRange[], unsure: boolean): Promise<void> {
    const topics = [...new Set(ranges.map(({ topic }) => topic))];
    const bounds = new Map(await Promise.all(topics.map(async (topic) => [topic, await this.#deps.boundsOf(topic)] as const)));
    for (const range of ranges) {
      const found = bounds.get(range.topic)?.get(range.partition);
      if (unsure && found && range.to > found.end)
        throw new PlatformError('LOG_UNAVAILABLE', `${range.topic}:${range.partition} is behind offset ${range.to}`);
      requireWithin(range, range.from, found?.beginning, found?.end);
      requireWithin(range, range.to, found?.beginning, found?.end);
    }
  }
}

export const samePartition = (a: TopicPartition, b: TopicPartition): boolean =>
  a.topic === b.topic && a.partition === b.partition;
const isOpen = ({ next, to }: Cursor): boolean => next < to;

/** Keeps what belongs to the range (a fetched batch may begin before it and end after it) and moves the cursor. */
const advance = (cursor: Cursor, records: readonly StoredRecord[]): StoredRecord[] => {
  const within = records.filter(({ offset }) => offset >= cursor.next && offset < cursor.to);
  for (const { offset } of within) {
    if (offset !== cursor.next)
      throw new PlatformError(
        'OFFSET_OUT_OF_RANGE',
        `records before offset ${offset} of ${cursor.topic}:${cursor.partition} are missing`,
        {
          topic: cursor.topic,
          partition: cursor.partition,
          offset: cursor.next.toString(),
        },
      );
    cursor.next++;
  }
  return within;
};
