import { PlatformError } from '@centralita/contracts';
import { protocolCodeOf } from './errors.js';
import { partitionKey, type RecordBatch, type StoredRecord, type TopicPartition } from '../port.js';

/** Where a partition stands; `attempt` counts failures in a row. */
export type Position = TopicPartition & { next: bigint; attempt: number };

/** Answers to a heartbeat that mean that this member owns nothing any more: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
const expelled: ReadonlySet<unknown> = new Set([22, 25, 82]);
const REBALANCE_IN_PROGRESS = 27;

/** What the group gave this member in one generation, and whether it still holds. */
export class Assignment {
  readonly #positions = new Map<string, Position>();
  readonly #controller = new AbortController();
  readonly #sessionMs: number;
  #aliveAt = performance.now();
  #rebalancing = false;

  constructor(
    readonly partitions: readonly TopicPartition[],
    sessionMs: number,
  ) {
    this.#sessionMs = sessionMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get revoked(): boolean {
    return this.#controller.signal.aborted;
  }

  /** The group waits for this member to join again: finish what runs, begin nothing. */
  get rebalancing(): boolean {
    return this.#rebalancing;
  }

  revoke(): void {
    if (!this.revoked) this.#controller.abort(new PlatformError('STALE_EPOCH', 'the partitions were taken away'));
  }

  /** The coordinator has answered to what was sent at `at`, monotonic milliseconds. */
  alive(at = performance.now()): void {
    this.#aliveAt = at;
  }

  /**
   * Revoked, or silent for longer than a session: after SIGSTOP or a long pause the coordinator may have given the partitions
   * away without a way to tell. The monotonic clock goes on while a process is stopped.
   */
  isStale(): boolean {
    return this.revoked || performance.now() - this.#aliveAt > this.#sessionMs;
  }

  async heartbeat(send: () => Promise<void>): Promise<void> {
    const asked = performance.now();
    try {
      await send();
    } catch (error) {
      const code = protocolCodeOf(error);
      if (code === REBALANCE_IN_PROGRESS) {
        // The coordinator has heard us, and waits until we join again: what runs may finish.
        this.#rebalancing = true;
        this.#aliveAt = asked;
        return;
      }
      if (expelled.has(code)) this.revoke();
    }
    if (this.isStale()) throw new PlatformError('STALE_EPOCH', 'the partitions were taken away');
  }

  position(where: TopicPartition, next: bigint): Position {
    const key = partitionKey(where.topic, where.partition);
    const attempt = this.#positions.get(key)?.attempt ?? 0;
    // A new object: a batch that still runs with the old one cannot move it.
    const position = { ...where, next, attempt };
    this.#positions.set(key, position);
    return position;
  }

  /** Undefined until the partition was sought. */
  positionOf({ topic, partition }: TopicPartition): Position | undefined {
    return this.#positions.get(partitionKey(topic, partition));
  }

  /** Throws OFFSET_OUT_OF_RANGE when records between the position and the first record are missing. */
  batch(position: Position, records: readonly StoredRecord[], endOffset: bigint, heartbeat: () => Promise<void>): RecordBatch {
    const { topic, partition, next } = position;
    for (const [index, { offset }] of records.entries())
      if (offset !== next + BigInt(index))
        throw new PlatformError('OFFSET_OUT_OF_RANGE', `records before offset ${offset} of ${topic}:${partition} are missing`, {
          topic,
          partition,
          offset: (next + BigInt(index)).toString(),
        });
    return {
      topic,
      partition,
      records,
      firstOffset: next,
      lastOffset: next + BigInt(records.length) - 1n,
      endOffset,
      heartbeat,
      signal: this.signal,
      isStale: () => this.isStale(),
    };
  }
}
