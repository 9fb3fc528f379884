import type { UsageBalance } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import { DELIVERY_STATUSES } from '@centralita/domain-billing';
import type { AccountBook, BillingAccount } from '../accounts.js';
import { billing } from '../service.js';
import { readMonth, readMonths } from '../statements/read.js';

/** Counts of one table each: the evidence must not be counted from what was made of it. */
const counts = `
  select (select count(*) from (select distinct message_ref, participant, charge_kind from usage_evidence
            where tenant_id = $1 and status = any ($2::text[])) d)::int as delivered,
         (select count(*) from usage where tenant_id = $1 and outcome is null)::int as undelivered,
         (select count(*) from parked_record where tenant_id = $1 and group_id = $3 and topic = 'wa.inbound.v1' and state = 'parked')::int as parked,
         (select count(*) from parked_record where tenant_id = $1 and group_id = $3 and topic = 'wa.inbound.v1' and state = 'skipped')::int as skipped`;

/** An account that was taken out of the file: no card has its currency, so that nothing of it can be priced. */
const unregistered = (tenantId: string, wabaId: string): BillingAccount => ({
  tenantId,
  wabaId,
  timeZone: 'UTC',
  currency: '',
  numbers: [],
});

/** Reads the whole fold of a tenant; not for a page that somebody looks at all day. */
export const readBalance = async (tx: Tx, accounts: AccountBook, knownAt: string): Promise<UsageBalance> => {
  const [counted] = await tx.query<Pick<UsageBalance, 'delivered' | 'undelivered' | 'parked' | 'skipped'>>(counts, [
    tx.tenantId,
    [...DELIVERY_STATUSES],
    billing.consumerGroup,
  ]);
  const { delivered, ...rest } = counted ?? { delivered: 0, undelivered: 0, parked: 0, skipped: 0 };
  const of = { charged: 0, free: 0, suspense: 0 };
  for (const { waba_id: wabaId, month } of await readMonths(tx)) {
    const account = accounts.find(tx.tenantId, wabaId) ?? unregistered(tx.tenantId, wabaId);
    for (const { kind, quantity } of await readMonth(tx, account, month, knownAt)) of[kind] += quantity;
  }
  const { charged: rated, free, suspense } = of;
  return { delivered, rated, free, suspense, ...rest, balanced: delivered === rated + free + suspense };
};
