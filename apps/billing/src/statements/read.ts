import { buildStatement, rateUsage, type Account, type RateCard, type RatedUsage, type Usage } from '@centralita/domain-billing';
import type { Statement } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import type { BillingAccount } from '../accounts.js';

export const accountOf = (account: BillingAccount): Account => ({
  wabaId: account.wabaId,
  timeZone: account.timeZone,
  currency: account.currency,
  phoneNumberIds: account.numbers.map((number) => number.phoneNumberId),
});

export type StoredUsage = RatedUsage & { readonly revision: number; readonly rowKey: string };

/** All records of an account's month, priced by the cards known at `knownAt`, in the order of message_ref and participant. */
export const readMonth = async (tx: Tx, account: BillingAccount, month: string, knownAt: string): Promise<StoredUsage[]> => {
  const cards = await readCards(tx);
  const rows = await tx.query<{ revision: number; outcome: Usage }>(
    `select revision, outcome from usage where tenant_id = $1 and waba_id = $2 and month = $3 order by message_ref collate "C", participant collate "C"`,
    [tx.tenantId, account.wabaId, month],
  );
  return rows.map(({ revision, outcome }) => ({
    ...rateUsage(outcome, accountOf(account), cards, knownAt),
    revision,
    rowKey: `${outcome.messageRef}/${outcome.participant}`,
  }));
};

export const readCards = async (tx: Tx): Promise<RateCard[]> =>
  (await tx.query<{ body: RateCard }>(`select body from rate_card where tenant_id = $1 order by card_id`, [tx.tenantId])).map(
    ({ body }) => body,
  );

/** The statement of a month as of an instant. Its digest covers lines and totals, so that two runs can be compared by one value. */
export const statementOf = (account: BillingAccount, month: string, records: readonly StoredUsage[], asOf: string): Statement => {
  const body = buildStatement(records, accountOf(account));
  return {
    wabaId: account.wabaId,
    month,
    timeZone: account.timeZone,
    currency: account.currency,
    state: 'open',
    estimate: true,
    ...body,
    digest: createHash('sha256')
      .update(canonicalize({ wabaId: account.wabaId, month, lines: body.lines, total: body.total }) ?? '')
      .digest('hex'),
    asOf,
  };
};
