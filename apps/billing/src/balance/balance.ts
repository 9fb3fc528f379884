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

export type Books = {
  readonly balance: UsageBalance;
  /** First delivery among what has no price; null when all has one. */
  readonly oldestUnrated: string | null;
};

/** Reads the whole fold of a tenant; not for a page that somebody looks at all day. */
export const readBooks = async (tx: Tx, accounts: AccountBook, knownAt: string): Promise<Books> => {
  const [counted] = await tx.query<Pick<UsageBalance, 'delivered' | 'undelivered' | 'parked' | 'skipped'>>(counts, [
    tx.tenantId,
    [...DELIVERY_STATUSES],
    billing.consumerGroup,
  ]);
  const { delivered, ...rest } = counted ?? { delivered: 0, undelivered: 0, parked: 0, skipped: 0 };
  let oldestUnrated: string | null = null;
  const of = { charged: 0, free: 0, suspense: 0 };
  for (const { waba_id: wabaId, month } of await readMonths(tx)) {
    const account = accounts.find(tx.tenantId, wabaId) ?? unregistered(tx.tenantId, wabaId);
    for (const { kind, quantity, usage } of await readMonth(tx, account, month, knownAt)) {
      of[kind] += quantity;
      if (kind === 'suspense' && (oldestUnrated === null || usage.deliveredAt < oldestUnrated)) oldestUnrated = usage.deliveredAt;
    }
  }
  const { charged: rated, free, suspense } = of;
  const balance = { delivered, rated, free, suspense, ...rest, balanced: delivered === rated + free + suspense };
  return { balance, oldestUnrated };
};
