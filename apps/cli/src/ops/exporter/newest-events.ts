import { decodeEnvelope, type Topic } from '@centralita/contracts';
import type { EventLog, StoredRecord } from '@centralita/event-log';
import type { Metrics } from '@centralita/platform-nest';

/** Records that are looked through per partition at the start; what came before them is not found any more. */
const LOOK_BACK = 20_000;

/** What each proves: the fold of billing, the ledger. */
const PROOFS: Readonly<Record<string, string>> = { 'replay.verified.v1': 'replay', 'ledger.verified.v1': 'verify' };
const ROTATIONS = ['key.rotated.v1', 'keyring.rewrapped.v1'];

type Found = { readonly at: number; readonly failed: boolean };

/** Follows topics on which what is looked for is rare: by their ends, reading only what is new. */
class Tail {
  readonly #read = new Map<number, bigint>();

  constructor(
    private readonly topic: Topic,
    private readonly types: readonly string[],
  ) {}

  /** New records of these types since the last call; at the first, the newest of each partition. */
  async next(log: EventLog): Promise<StoredRecord[]> {
    const found: StoredRecord[] = [];
    // The bytes first: nearly all records are others, and need not be parsed.
    const matches = ({ value }: StoredRecord): boolean => this.types.some((type) => value?.includes(`"${type}"`) ?? false);
    for (const [partition, end] of await log.admin.endOffsets(this.topic)) {
      const from = this.#read.get(partition);
      if (from === undefined) {
        const last = await log.lastRecord(this.topic, partition, matches, LOOK_BACK);
        if (last) found.push(last);
      } else if (end > from)
        await log.read([{ topic: this.topic, partition, from, to: end }], async (records) => {
          found.push(...records.filter(matches));
        });
      this.#read.set(partition, end);
    }
    return found;
  }
}

/** What stands on the log about proofs by replay and about rotated keys. */
export class NewestEvents {
  readonly #proofs = new Map<string, Found>();
  readonly #tails = [
    new Tail('billing.events.v1', Object.keys(PROOFS)),
    new Tail('operations.events.v1', [...Object.keys(PROOFS), ...ROTATIONS]),
  ];
  #rotatedAt: number | null = null;

  constructor(
    private readonly metrics: Metrics,
    private readonly now: () => number = Date.now,
  ) {}

  async look(log: EventLog): Promise<void> {
    for (const tail of this.#tails) for (const record of await tail.next(log)) this.#take(record);
    this.#rotatedAt ??= await firstOf(log, 'operations.events.v1');
    const age = (at: number): number => Math.max(0, (this.now() - at) / 1000);
    const proofAge = this.metrics.gauge('replay_proof_age_seconds');
    const proofFailed = this.metrics.gauge('replay_proof_failed');
    for (const [what, { at, failed }] of this.#proofs) {
      proofAge.set({ what }, age(at));
      proofFailed.set({ what }, failed ? 1 : 0);
    }
    if (this.#rotatedAt !== null) this.metrics.gauge('key_rotation_age_seconds').set(age(this.#rotatedAt));
  }

  #take({ value, timestamp }: StoredRecord): void {
    // The envelope is all that is needed; what cannot be read is parked by those who apply it, here it only does not count.
    const decoded = decodeEnvelope(value);
    if (!('event' in decoded)) return;
    const { type, data } = decoded.event;
    const at = Number(timestamp);
    const what = PROOFS[type];
    if (what !== undefined) {
      const { equal } = data as { readonly equal?: boolean };
      if (at >= (this.#proofs.get(what)?.at ?? 0)) this.#proofs.set(what, { at, failed: equal !== true });
    } else if (ROTATIONS.includes(type)) this.#rotatedAt = Math.max(at, this.#rotatedAt ?? 0);
  }
}

/** Time of the oldest record of a topic, in milliseconds since the epoch; null when there is none. */
export const firstOf = async (log: EventLog, topic: Topic): Promise<number | null> => {
  const [beginnings, ends] = await Promise.all([log.admin.beginningOffsets(topic), log.admin.endOffsets(topic)]);
  const times: number[] = [];
  for (const [partition, from] of beginnings)
    if ((ends.get(partition) ?? 0n) > from)
      await log.read([{ topic, partition, from, to: from + 1n }], async ([first]) => {
        if (first) times.push(Number(first.timestamp));
      });
  return times.length > 0 ? Math.min(...times) : null;
};
