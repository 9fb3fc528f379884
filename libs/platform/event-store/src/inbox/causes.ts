import { PlatformError } from '@centralita/contracts';
import { partitionKey } from '@centralita/event-log';
import type { Cause } from '@centralita/contracts';
import { prepared } from '../prepared.js';
import { toBigInt, type SystemTx } from '../types.js';
import type { Incoming } from './incoming.js';

type Waiting = { offset: bigint; since: number; causeAt: bigint };

const POSITIONS = prepared(`select topic, partition, next_offset from consumer_offset where group_id = $1 and topic = any ($2)`);

/**
 * Causes first: an event waits until its group has applied the record that made it happen, if the group reads that topic at all.
 * Topics are not consumed at one pace, so the effect can arrive before its cause.
 */
export class CauseWait {
  readonly #waiting = new Map<string, Waiting>();
  /** Offsets of records that have waited long enough, by partition; of a partition only those that can still come. */
  readonly #givenUp = new Map<string, Set<bigint>>();

  constructor(
    private readonly groupId: string,
    private readonly patienceMs: number,
  ) {}

  /** True when the record waited for as long as its cause's partition stood still; it is parked with CAUSE_MISSING. */
  gaveUp({ record }: Incoming): boolean {
    return this.#givenUp.get(partitionKey(record.topic, record.partition))?.has(record.offset) ?? false;
  }

  /** Index of the first record whose cause has not been applied, or the number of records. */
  async ready(tx: SystemTx, incoming: readonly Incoming[]): Promise<number> {
    this.#forget(incoming[0]);
    const causes = incoming.map((item) => this.#foreignCause(item));
    const topics = new Set(causes.flatMap((cause) => (cause === null ? [] : [cause.topic])));
    if (topics.size === 0) return incoming.length;
    const rows = await tx.query<{ topic: string; partition: number; next_offset: string }>(POSITIONS, [
      this.groupId,
      [...topics],
    ]);
    const applied = new Map(rows.map((row) => [partitionKey(row.topic, row.partition), toBigInt(row.next_offset)]));
    for (const [index, cause] of causes.entries()) {
      const next = cause === null ? undefined : applied.get(partitionKey(cause.topic, cause.partition));
      if (cause === null || next === undefined || next > BigInt(cause.offset)) continue;
      const item = incoming[index] as Incoming;
      if (this.#stillPatient(item, next)) return index;
    }
    return incoming.length;
  }

  /** What the transport understands: back off, then deliver again from the stored position. */
  notSeen({ record }: Incoming): PlatformError {
    const { topic, partition, offset } = record;
    return new PlatformError('CAUSE_NOT_SEEN', 'the cause of a record has not been applied yet', {
      topic,
      partition,
      offset: offset.toString(),
    });
  }

  #foreignCause(item: Incoming): Cause | null {
    if (item.kind !== 'event' || this.gaveUp(item)) return null;
    const { cause } = item.consumed.event;
    return cause === undefined || (cause.topic === item.record.topic && cause.partition === item.record.partition) ? null : cause;
  }

  #stillPatient({ record }: Incoming, causeAt: bigint): boolean {
    const where = partitionKey(record.topic, record.partition);
    const now = performance.now();
    const waiting = this.#waiting.get(where);
    // As long as the other partition moves, it will come: a rebuild from the beginning takes as long as it takes.
    if (waiting === undefined || waiting.offset !== record.offset || waiting.causeAt !== causeAt) {
      this.#waiting.set(where, { offset: record.offset, since: now, causeAt });
      return true;
    }
    if (now - waiting.since < this.patienceMs) return true;
    this.#givenUp.set(where, (this.#givenUp.get(where) ?? new Set()).add(record.offset));
    return false;
  }

  /** What lies before the next record of a partition has been parked. */
  #forget(next: Incoming | undefined): void {
    if (next === undefined) return;
    const { topic, partition, offset } = next.record;
    const offsets = this.#givenUp.get(partitionKey(topic, partition));
    for (const before of offsets ?? []) if (before < offset) offsets?.delete(before);
  }
}
