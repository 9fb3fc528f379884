import { partitionKey, type EventLog } from '@centralita/event-log';
import { toBigInt, type Database } from '@centralita/event-store';

/** What facts follow from: decisions, and who takes part in whose conversation. */
const TOPICS = ['routing.events.v1', 'conversation.events.v1'] as const;
/** The broker need not be asked more often than a reader could tell. */
const EVERY_MS = 50;

/**
 * Up to when the facts are complete here. That nothing confirms a reason means something only when all that was on the log at that
 * time has been applied: the ends of the topics are noted, and when the group has passed them, the facts are complete up to the
 * moment of the note.
 */
export class FactsFreshness {
  #completeUntil = 0;
  #askedAt = -Infinity;
  /** Ends by partition of a topic. */
  #noted: { readonly at: number; readonly ends: ReadonlyMap<string, bigint> } | null = null;

  constructor(
    private readonly db: Database,
    private readonly log: EventLog,
    private readonly groupId: string,
    private readonly clock: () => Date,
  ) {}

  /** Milliseconds since the epoch. */
  get completeUntil(): number {
    return this.#completeUntil;
  }

  async refresh(): Promise<void> {
    const now = performance.now();
    if (now - this.#askedAt < EVERY_MS) return;
    this.#askedAt = now;
    this.#noted ??= { at: this.clock().getTime(), ends: await this.#ends() };
    const { at, ends } = this.#noted;
    const rows = await this.db.system((tx) =>
      tx.query<{ topic: string; partition: number; next_offset: string }>(
        `select topic, partition, next_offset from consumer_offset where group_id = $1 and topic = any ($2::text[])`,
        [this.groupId, TOPICS],
      ),
    );
    const applied = new Map(rows.map((row) => [partitionKey(row.topic, row.partition), toBigInt(row.next_offset)]));
    if (![...ends].every(([partition, end]) => end <= (applied.get(partition) ?? 0n))) return;
    this.#completeUntil = at;
    this.#noted = null;
  }

  async #ends(): Promise<Map<string, bigint>> {
    const ends = await Promise.all(
      TOPICS.map(async (topic) =>
        [...(await this.log.admin.endOffsets(topic))].map(([partition, end]) => [partitionKey(topic, partition), end] as const),
      ),
    );
    return new Map(ends.flat());
  }
}
