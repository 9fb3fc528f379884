import {
  buildStatement,
  cardBoundaries,
  lineIdOf,
  rateUsage,
  type Account,
  type RateCard,
  type RatedUsage,
  type Usage,
} from '@centralita/domain-billing';
import { PlatformError, type Statement } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import type { AccountBook, BillingAccount } from '../accounts.js';

export const accountOf = (account: BillingAccount): Account => ({
  wabaId: account.wabaId,
  timeZone: account.timeZone,
  currency: account.currency,
  phoneNumberIds: account.numbers.map((number) => number.phoneNumberId),
});

export type StoredUsage = RatedUsage<Usage> & { readonly revision: number; readonly rowKey: string };

type GroupRow = {
  phone_number_id: string;
  market_country: string | null;
  market_prefix: string | null;
  category: string | null;
  pricing_type: string | null;
  state: Usage['state'];
  suspense_reason: Usage['suspenseReason'];
  delivered_at: string;
  quantity: number;
};

/**
 * An account's month, priced by the cards known at `knownAt`. Counted by the database, record for record alike: a statement has few lines
 * and a month may have millions of records.
 */
export const readMonth = async (tx: Tx, account: BillingAccount, month: string, knownAt: string): Promise<RatedUsage[]> => {
  const cards = await readCards(tx);
  const boundaries = cardBoundaries(cards, account.currency, account.timeZone).map((at) => new Date(at).toISOString());
  const rows = await tx.query<GroupRow>(
    `select phone_number_id, market_country, market_prefix, outcome->>'category' as category, outcome->>'pricingType' as pricing_type,
            outcome->>'state' as state, outcome->>'suspenseReason' as suspense_reason, min(outcome->>'deliveredAt') as delivered_at,
            count(*)::int as quantity
     from usage where tenant_id = $1 and waba_id = $2 and month = $3
     group by 1, 2, 3, 4, 5, 6, 7, width_bucket((outcome->>'deliveredAt')::timestamptz, $4::timestamptz[])`,
    [tx.tenantId, account.wabaId, month, boundaries],
  );
  return rows.map((row) =>
    rateUsage(
      {
        phoneNumberId: row.phone_number_id,
        marketHint: { country: row.market_country, prefix: row.market_prefix },
        category: row.category,
        pricingType: row.pricing_type,
        state: row.state,
        suspenseReason: row.suspense_reason,
        deliveredAt: row.delivered_at,
      },
      accountOf(account),
      cards,
      knownAt,
      row.quantity,
    ),
  );
};

type UsageRow = { revision: number; outcome: Usage };

const stored = (row: UsageRow, account: BillingAccount, cards: readonly RateCard[], knownAt: string): StoredUsage => ({
  ...rateUsage(row.outcome, accountOf(account), cards, knownAt),
  revision: row.revision,
  rowKey: rowKeyOf(row.outcome),
});

const rowKeyOf = ({ messageRef, participant }: Pick<Usage, 'messageRef' | 'participant'>): string =>
  `${messageRef}/${participant}`;
const ROW_KEY = /^([\w-]{22})\/(-|[\w-]{22})$/;

/** Records looked through at once for those of a line. */
const CHUNK = 1_000;

/**
 * Records of one line of an account's month, in the order of message_ref and participant, from behind a cursor on. At most one more
 * than `limit`, which says that there are more.
 */
export const readLine = async (
  tx: Tx,
  account: BillingAccount,
  line: { readonly month: string; readonly lineId: string; readonly knownAt: string },
  page: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<StoredUsage[]> => {
  const cards = await readCards(tx);
  const found: StoredUsage[] = [];
  let after = page.cursor === undefined ? ['', ''] : (ROW_KEY.exec(page.cursor)?.slice(1) ?? null);
  if (!after)
    throw new PlatformError('VALIDATION_FAILED', 'one field is not valid', {
      errors: [{ path: 'query.cursor', message: 'is not a cursor of this list' }],
    });
  while (after && found.length <= page.limit) {
    const rows: UsageRow[] = await tx.query<UsageRow>(
      `select revision, outcome from usage
       where tenant_id = $1 and waba_id = $2 and month = $3
         and (message_ref collate "C", participant collate "C") > ($4 collate "C", $5 collate "C")
       order by message_ref collate "C", participant collate "C" limit $6`,
      [tx.tenantId, account.wabaId, line.month, ...after, CHUNK],
    );
    const priced = rows.map((row) => stored(row, account, cards, line.knownAt));
    found.push(...priced.filter((record) => lineIdOf(record) === line.lineId));
    const last: Usage | undefined = rows.at(-1)?.outcome;
    after = last && rows.length === CHUNK ? [last.messageRef, last.participant] : null;
  }
  return found.slice(0, page.limit + 1);
};

/** The record of an id, as its first event on the store names it; null when there is none, or its account is not registered. */
export const readUsage = async (tx: Tx, accounts: AccountBook, usageId: string, knownAt: string): Promise<StoredUsage | null> => {
  const [row] = await tx.query<UsageRow>(
    `select u.revision, u.outcome from events e
     join usage u on u.tenant_id = e.tenant_id and u.message_ref = e.data->>'messageRef' and u.participant = e.data->>'participant'
       and u.charge_kind = e.data->>'chargeKind'
     where e.tenant_id = $1 and e.stream_id = $2 and e.stream_version = 1 and e.type = 'usage.recorded.v1'`,
    [tx.tenantId, usageId],
  );
  const account = row && accounts.find(tx.tenantId, row.outcome.wabaId);
  return account ? stored(row, account, await readCards(tx), knownAt) : null;
};

/** Months that have usage, newest first. Found one after the other by index: counting them would read every record. */
export const readMonths = (tx: Tx): Promise<{ waba_id: string; month: string }[]> =>
  tx.query(
    `with recursive found (waba_id, month) as (
       (select waba_id, month from usage where tenant_id = $1 and month is not null order by waba_id, month limit 1)
       union all
       select next.waba_id, next.month from found f
       cross join lateral (select waba_id, month from usage where tenant_id = $1 and month is not null
                             and (waba_id, month) > (f.waba_id, f.month) order by waba_id, month limit 1) next
     )
     select waba_id, month from found order by month desc, waba_id`,
    [tx.tenantId],
  );

export const readCards = async (tx: Tx): Promise<RateCard[]> =>
  (await tx.query<{ body: RateCard }>(`select body from rate_card where tenant_id = $1 order by card_id`, [tx.tenantId])).map(
    ({ body }) => body,
  );

/** The statement of a month as of an instant. Its digest covers lines and totals, so that two runs can be compared by one value. */
export const statementOf = (account: BillingAccount, month: string, records: readonly RatedUsage[], asOf: string): Statement => {
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
