import { readFact, type RateCard, type StatusFact } from '@centralita/domain-billing';
import type { EventLog, OffsetRange, StoredRecord } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import type { AccountBook } from '../accounts.js';
import { inputTopics, stateDigest, type StateDigest } from '../digest/digest.js';
import { applyStatuses } from '../fold-usage/fold.js';
import { applyCards } from '../rate-cards/handler.js';
import { SeenMessages } from './seen.js';

export type Replay = { readonly records: number; readonly tenants: Readonly<Record<string, StateDigest>> };

export type ReplayOptions = {
  /** @default 10000 */
  readonly atOnce?: number;
  /** What is read. @default the inputs as far as they go now */
  readonly ranges?: Promise<readonly OffsetRange[]> | readonly OffsetRange[];
  readonly onRecord?: (record: StoredRecord) => void;
  /** Places of records that are not applied: see {@link placeOf}. */
  readonly leftOut?: ReadonlySet<string>;
  /** What an earlier replay has left of a tenant goes first. For a database that is for replays alone. @default false */
  readonly empties?: boolean;
};

export const placeOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: bigint | string }): string =>
  `${topic}/${partition}/${offset}`;

/** The inputs of the fold from their beginning to where they end now. */
const wholeLog = async (log: EventLog): Promise<OffsetRange[]> =>
  (
    await Promise.all(
      inputTopics.map(async (topic) =>
        [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to })),
      ),
    )
  ).flat();

/** Facts that are applied together, by tenant. */
type Held = Map<string, { readonly statuses: StatusFact[]; readonly cards: RateCard[] }>;

/** Statuses that are held before they are applied: a statement for many costs little more than one for few. */
const AT_ONCE = 10_000;

/**
 * Fills the fold's tables of an empty database from offset 0, with the fold that runs live and nothing published. Partitions come as they
 * come: all that concerns a message has one key, so their interleaving does not matter, and neither does where batches are cut. While the
 * database takes one batch, the next is read.
 */
export const replay = async (
  log: EventLog,
  db: Database,
  accounts: AccountBook,
  { atOnce = AT_ONCE, ranges = wholeLog(log), onRecord, leftOut, empties = false }: ReplayOptions = {},
): Promise<Replay> => {
  const writer = new Writer(db, accounts, empties);
  const tenants = new Set<string>();
  let held: Held = new Map();
  let records = 0;
  let facts = 0;
  const apply = async (): Promise<void> => {
    const taken = held;
    held = new Map();
    facts = 0;
    await writer.write(taken);
  };
  const all = await ranges;
  for (const topic of inputTopics) {
    await log.read(
      all.filter((range) => range.topic === topic && range.to > range.from),
      async (batch) => {
        records += batch.length;
        for (const record of batch) {
          onRecord?.(record);
          if (leftOut?.has(placeOf(record))) continue;
          const fact = readFact(record);
          if (fact === null) continue;
          const { tenantId, status, card } = fact;
          tenants.add(tenantId);
          if (!status && !card) continue;
          const pending = held.get(tenantId) ?? { statuses: [], cards: [] };
          held.set(tenantId, pending);
          if (status) pending.statuses.push(status);
          if (card) pending.cards.push(card);
          facts += 1;
        }
        if (facts >= atOnce) await apply();
      },
    );
  }
  await apply();
  await writer.written();
  const digests: Record<string, StateDigest> = {};
  for (const tenantId of [...tenants].sort()) digests[tenantId] = await db.withTenant(tenantId, stateDigest);
  return { records, tenants: digests };
};

/** Applies one batch after the other; the next may be read meanwhile. */
class Writer {
  /** Of tenants of whom nothing was stored at the beginning. */
  readonly #seen = new Map<string, SeenMessages | null>();
  #underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly accounts: AccountBook,
    private readonly empties: boolean,
  ) {}

  /** Resolves when it has begun, which is when the batch before has ended; rejects when that failed. */
  async write(held: Held): Promise<void> {
    await this.#underWay;
    this.#underWay = this.#apply(held);
    // Heard by whoever waits for it next, which may be later than the end of this turn.
    this.#underWay.catch(() => undefined);
  }

  /** Everything is stored. */
  async written(): Promise<void> {
    await this.#underWay;
  }

  async #apply(held: Held): Promise<void> {
    for (const [tenantId, { statuses, cards }] of held) {
      const seen = await this.#seenOf(tenantId);
      await this.db.withTenant(tenantId, async (tx) => {
        await applyStatuses(tx, this.accounts, statuses, (messageRef) => seen?.mayHave(messageRef) ?? true);
        await applyCards(tx, cards);
      });
      for (const { data } of statuses) seen?.add(data.messageRef);
    }
  }

  /** What is there already must be found: then every message is looked for. */
  async #seenOf(tenantId: string): Promise<SeenMessages | null> {
    const known = this.#seen.get(tenantId);
    if (known !== undefined) return known;
    if (this.empties)
      await this.db.withTenant(tenantId, async (tx) => {
        for (const table of ['usage_evidence', 'usage', 'rate_card'])
          await tx.execute(`delete from ${table} where tenant_id = $1`, [tenantId]);
      });
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query(`select from usage where tenant_id = $1 limit 1`, [tenantId]),
    );
    const seen = rows.length === 0 ? new SeenMessages() : null;
    this.#seen.set(tenantId, seen);
    return seen;
  }
}
