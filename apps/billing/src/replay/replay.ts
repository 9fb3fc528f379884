import { readFact, type RateCard, type StatusFact } from '@centralita/domain-billing';
import type { EventLog } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import type { AccountBook } from '../accounts.js';
import { inputTopics, stateDigest, type StateDigest } from '../digest/digest.js';
import { applyStatuses } from '../fold-usage/fold.js';
import { applyCards } from '../rate-cards/handler.js';
import { SeenMessages } from './seen.js';

export type Replay = { readonly records: number; readonly tenants: Readonly<Record<string, StateDigest>> };

/** Facts that are applied together, by tenant. */
type Held = Map<string, { readonly statuses: StatusFact[]; readonly cards: RateCard[] }>;

/** Statuses that are held before they are applied: a statement for many costs little more than one for few. */
const AT_ONCE = 10_000;

/**
 * Fills the fold's tables of an empty database from offset 0, with the fold that runs live and nothing published. Partitions come as they
 * come: all that concerns a message has one key, so their interleaving does not matter, and neither does where batches are cut. While the
 * database takes one batch, the next is read.
 */
export const replay = async (log: EventLog, db: Database, accounts: AccountBook, atOnce = AT_ONCE): Promise<Replay> => {
  const writer = new Writer(db, accounts);
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
  for (const topic of inputTopics) {
    const ranges = [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to }));
    await log.read(
      ranges.filter(({ to }) => to > 0n),
      async (batch) => {
        records += batch.length;
        for (const record of batch) {
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
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query(`select from usage where tenant_id = $1 limit 1`, [tenantId]),
    );
    const seen = rows.length === 0 ? new SeenMessages() : null;
    this.#seen.set(tenantId, seen);
    return seen;
  }
}
