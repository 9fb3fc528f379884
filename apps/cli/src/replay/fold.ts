import { FOLD_VERSION, isTimeZone, readFact, UsageLedger } from '@centralita/domain-billing';
import type { StoredRecord } from '@centralita/event-log';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Manifest } from './manifest.js';

const TimeZone = z.string().refine(isTimeZone, 'not a time zone');

/** The accounts' zones decide in which month a delivery falls; the file is the one that the billing service is given. */
export const Accounts = z.object({
  accounts: z.array(z.object({ tenantId: z.string(), wabaId: z.string(), timeZone: TimeZone })),
});
export type Accounts = z.infer<typeof Accounts>;

/** The topics that the billing fold reads. */
export const inputTopics: ReadonlySet<string> = new Set(['wa.inbound.v1', 'billing.events.v1']);

/** The billing fold over records in memory, tenant by tenant. */
export class BillingFold {
  readonly #tenants = new Map<string, UsageLedger>();
  readonly #zones: ReadonlyMap<string, string>;

  constructor({ accounts }: Accounts) {
    this.#zones = new Map(accounts.map(({ tenantId, wabaId, timeZone }) => [`${tenantId}/${wabaId}`, timeZone]));
  }

  apply(record: StoredRecord): void {
    if (!inputTopics.has(record.topic)) return;
    const fact = readFact(record);
    if (fact === null) return;
    const ledger = this.#ledgerOf(fact.tenantId);
    // A redelivery stands on the log again; the ledger takes the first occurrence, as the service does.
    if (fact.status) ledger.applyStatus(fact.status);
    if (fact.card) ledger.applyCard(fact.card);
  }

  #ledgerOf(tenantId: string): UsageLedger {
    const known = this.#tenants.get(tenantId);
    if (known) return known;
    const ledger = new UsageLedger((wabaId) => this.#zones.get(`${tenantId}/${wabaId}`) ?? null);
    this.#tenants.set(tenantId, ledger);
    return ledger;
  }

  result(): Pick<Manifest, 'foldVersion' | 'tenants'> {
    const tenants = [...this.#tenants]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([tenantId, ledger]) => {
        const digest = createHash('sha256');
        for (const line of ledger.text()) digest.update(line);
        return [tenantId, { stateDigest: digest.digest('hex'), rows: ledger.rows }] as const;
      });
    return { foldVersion: FOLD_VERSION, tenants: Object.fromEntries(tenants) };
  }
}
