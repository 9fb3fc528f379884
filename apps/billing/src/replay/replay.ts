import { readFact, type RateCard, type StatusFact } from '@centralita/domain-billing';
import type { EventLog } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import type { AccountBook } from '../accounts.js';
import { inputTopics, stateDigest, type StateDigest } from '../digest/digest.js';
import { applyStatuses } from '../fold-usage/fold.js';
import { applyCards } from '../rate-cards/handler.js';

export type Replay = { readonly records: number; readonly tenants: Readonly<Record<string, StateDigest>> };

/** Facts of one tenant that are applied in one transaction. */
type Pending = { readonly statuses: StatusFact[]; readonly cards: RateCard[] };

/** Statuses that are held before they are applied: a statement for many costs little more than one for few. */
const AT_ONCE = 5_000;

/**
 * Fills the fold's tables of an empty database from offset 0, with the fold that runs live and nothing published. Partitions come as they
 * come: all that concerns a message has one key, so their interleaving does not matter, and neither does where batches are cut.
 */
export const replay = async (log: EventLog, db: Database, accounts: AccountBook): Promise<Replay> => {
  const tenants = new Map<string, Pending>();
  let records = 0;
  let held = 0;
  const apply = async (): Promise<void> => {
    for (const [tenantId, { statuses, cards }] of tenants)
      await db.withTenant(tenantId, async (tx) => {
        await applyStatuses(tx, accounts, statuses);
        await applyCards(tx, cards);
      });
    for (const tenantId of tenants.keys()) tenants.set(tenantId, { statuses: [], cards: [] });
    held = 0;
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
          const pending = tenants.get(fact.tenantId) ?? { statuses: [], cards: [] };
          tenants.set(fact.tenantId, pending);
          if (fact.status) pending.statuses.push(fact.status);
          if (fact.card) pending.cards.push(fact.card);
          held += fact.status || fact.card ? 1 : 0;
        }
        if (held >= AT_ONCE) await apply();
      },
    );
  }
  await apply();
  const digests: Record<string, StateDigest> = {};
  for (const tenantId of [...tenants.keys()].sort()) digests[tenantId] = await db.withTenant(tenantId, stateDigest);
  return { records, tenants: digests };
};
