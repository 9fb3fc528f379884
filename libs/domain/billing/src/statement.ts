import type { Statement, StatementLine } from '@centralita/contracts';
import { localDate } from './calendar.js';
import { explain } from './explain.js';
import { sum, type Nano } from './money.js';
import { cardInForce, rateOf, type RateCard, type Rated } from './rate-card.js';
import type { SuspenseReason, Usage } from './usage.js';

export type Account = {
  readonly wabaId: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly phoneNumberIds: readonly string[];
};

/** A usage record with its price. `reason` is set when it cannot be priced; nothing is ever dropped. */
export type RatedUsage = {
  readonly usage: Usage;
  readonly kind: StatementLine['kind'];
  readonly rated: Rated | null;
  readonly amount: Nano;
  readonly reason: SuspenseReason | null;
};

/** Prices one record by the card in force on its local day. Pure: the same cards and the same knowledge give the same price. */
export const rateUsage = (usage: Usage, account: Account, cards: readonly RateCard[], knownAt: string): RatedUsage => {
  if (usage.state === 'suspense') return { usage, kind: 'suspense', rated: null, amount: 0n, reason: usage.suspenseReason };
  const card = cardInForce(cards, account.currency, localDate(usage.deliveredAt, account.timeZone), knownAt);
  const rated = card && usage.category ? rateOf(card, usage.marketHint, usage.category) : null;
  // What the provider gave for free is free also where no card names a price.
  if (usage.state === 'free') return { usage, kind: 'free', rated, amount: 0n, reason: null };
  if (!rated) return { usage, kind: 'suspense', rated: null, amount: 0n, reason: 'no_rate' };
  return { usage, kind: 'charged', rated, amount: rated.rate, reason: null };
};

/** Stable key of the line that a record belongs to. */
export const lineIdOf = ({ usage, kind, rated, reason }: RatedUsage): string =>
  [
    usage.phoneNumberId,
    kind,
    usage.category ?? '-',
    rated?.market ?? '-',
    usage.pricingType ?? '-',
    kind === 'charged' ? (rated?.cardId ?? '-') : (reason ?? '-'),
  ]
    .join('~')
    .replaceAll(' ', '_');

export type StatementBody = Pick<Statement, 'lines' | 'total' | 'freeTier'>;

/** Free service messages of a number and month (billing reference 2.3). Ours is a forecast; the provider's `type` is the truth. */
const ALLOTMENT = 1000;

/** The month of an account as lines. Every record is on exactly one line, so the lines' quantities add up to the records. */
export const buildStatement = (records: readonly RatedUsage[], account: Account): StatementBody => {
  const groups = new Map<string, RatedUsage[]>();
  for (const record of records) {
    const id = lineIdOf(record);
    groups.set(id, [...(groups.get(id) ?? []), record]);
  }
  const lines = [...groups]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([lineId, group]) => lineOf(lineId, group));
  const freeTier = [...account.phoneNumberIds].sort().map((phoneNumberId) => ({
    phoneNumberId,
    used: records.filter(
      ({ usage }) => usage.phoneNumberId === phoneNumberId && usage.category?.endsWith('service') && usage.state !== 'suspense',
    ).length,
    allotment: ALLOTMENT,
  }));
  return { lines, total: { quantity: records.length, amount: sum(records.map(({ amount }) => amount)).toString() }, freeTier };
};

const lineOf = (lineId: string, group: readonly RatedUsage[]): StatementLine[] => {
  const [first] = group;
  if (!first) return [];
  const { usage, kind, rated, reason } = first;
  const line = {
    lineId,
    phoneNumberId: usage.phoneNumberId,
    market: rated?.market ?? null,
    category: usage.category ?? 'unknown',
    kind,
    pricingType: usage.pricingType,
    quantity: group.length,
    rate: kind === 'charged' && rated ? rated.rate.toString() : null,
    amount: sum(group.map(({ amount }) => amount)).toString(),
    cardId: rated?.cardId ?? null,
    era: rated?.era ?? null,
  };
  return [{ ...line, explanation: explain(line, reason) }];
};
