import { decodeEvent } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import type { Database } from '@centralita/event-store';
import type { AccountBook } from '../accounts.js';
import { inputTopics, stateDigest, type StateDigest } from '../digest/digest.js';
import { applyStatuses } from '../fold-usage/fold.js';
import { statusFacts } from '../fold-usage/handler.js';
import { applyCards, cardsOf } from '../rate-cards/handler.js';

export type Replay = { readonly records: number; readonly tenants: Readonly<Record<string, StateDigest>> };

/**
 * Fills the fold's tables of an empty database from offset 0, with the code that runs live and nothing published. Partitions are read one
 * after the other: the fold is per key, so their interleaving does not matter.
 */
export const replay = async (log: EventLog, db: Database, accounts: AccountBook): Promise<Replay> => {
  const tenants = new Set<string>();
  let records = 0;
  for (const topic of inputTopics)
    for (const [partition, to] of await log.admin.endOffsets(topic)) {
      if (to === 0n) continue;
      await log.read([{ topic, partition, from: 0n, to }], async (batch) => {
        records += batch.length;
        const events = batch.flatMap((record) => {
          const decoded = decodeEvent(record.value);
          return 'event' in decoded ? [{ event: decoded.event, key: record.key?.toString('utf8') ?? '' }] : [];
        });
        for (const tenantId of new Set(events.map(({ event }) => event.tenantid))) {
          tenants.add(tenantId);
          const own = events.filter(({ event }) => event.tenantid === tenantId);
          await db.withTenant(tenantId, async (tx) => {
            await applyStatuses(tx, accounts, statusFacts(own));
            await applyCards(tx, cardsOf(own));
          });
        }
      });
    }
  const digests: Record<string, StateDigest> = {};
  for (const tenantId of [...tenants].sort()) digests[tenantId] = await db.withTenant(tenantId, stateDigest);
  return { records, tenants: digests };
};
