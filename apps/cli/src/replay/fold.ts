import { decodeEvent, isType } from '@centralita/contracts';
import { FOLD_VERSION, UsageLedger } from '@centralita/domain-billing';
import type { StoredRecord } from '@centralita/event-log';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Manifest } from './manifest.js';

/** The accounts' zones decide in which month a delivery falls; the file is the one that the billing service is given. */
const Accounts = z.object({ accounts: z.array(z.object({ tenantId: z.string(), wabaId: z.string(), timeZone: z.string() })) });

/** The topics that the billing fold reads. */
export const inputTopics: ReadonlySet<string> = new Set(['wa.inbound.v1', 'billing.events.v1']);

/** The billing fold over records in memory, tenant by tenant. */
export class BillingFold {
  readonly #tenants = new Map<string, UsageLedger>();
  readonly #zones: ReadonlyMap<string, string>;
  readonly #seen = new Set<string>();

  constructor(accountsFile: string) {
    const { accounts } = Accounts.parse(JSON.parse(accountsFile));
    this.#zones = new Map(accounts.map(({ tenantId, wabaId, timeZone }) => [`${tenantId}/${wabaId}`, timeZone]));
  }

  apply(record: StoredRecord): void {
    if (!inputTopics.has(record.topic)) return;
    const decoded = decodeEvent(record.value);
    if (!('event' in decoded)) return;
    const { event } = decoded;
    const tenant =
      this.#tenants.get(event.tenantid) ?? new UsageLedger((wabaId) => this.#zones.get(`${event.tenantid}/${wabaId}`) ?? null);
    this.#tenants.set(event.tenantid, tenant);
    // A redelivery stands on the log again; the first occurrence counts, as it does live.
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    if (isType(event, 'whatsapp.status.changed.v1'))
      tenant.applyStatus({
        eventId: event.id,
        subjectKey: record.key?.toString('utf8') ?? '',
        recordedTime: event.recordedtime,
        data: event.data,
      });
    else if (isType(event, 'rate.card.published.v1')) tenant.applyCard(event.data);
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
