import type { EventLog } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';

const TOPIC = 'wa.inbound.v1';

type Mark = { readonly at: Date; readonly ends: ReadonlyMap<number, bigint> };

/**
 * Until when this service knows what the provider has said. After an outage the proof of a call may lie on the log and not be taken up
 * yet: whoever gives a call up by the clock alone tells an agent that a message is lost that the customer has long read.
 */
export class Heard {
  #mark: Mark | null = null;
  #heard: Date | null = null;

  constructor(
    private readonly db: Database,
    private readonly log: Pick<EventLog, 'admin'>,
    private readonly groupId: string,
  ) {}

  /** The latest moment, by the clock of the database, up to which the group is known to have applied all statuses; null: none yet. */
  async until(): Promise<Date | null> {
    const mark = (this.#mark ??= await this.#takeMark());
    const rows = await this.db.system((tx) =>
      tx.query<{ partition: number; next: string }>(
        'select partition, next_offset as next from consumer_offset where group_id = $1 and topic = $2',
        [this.groupId, TOPIC],
      ),
    );
    const next = new Map(rows.map((row) => [row.partition, BigInt(row.next)]));
    if ([...mark.ends].every(([partition, end]) => (next.get(partition) ?? 0n) >= end)) {
      this.#heard = mark.at;
      this.#mark = null;
    }
    return this.#heard;
  }

  async #takeMark(): Promise<Mark> {
    // The time first: what is appended after it belongs to the next mark.
    const [row] = await this.db.system((tx) => tx.query<{ at: Date }>('select clock_timestamp() as at'));
    if (!row) throw new RangeError('a database without a clock');
    return { at: row.at, ends: await this.log.admin.endOffsets(TOPIC) };
  }
}
