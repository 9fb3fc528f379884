import type { Statement, StatementLine } from '@centralita/contracts';
import { localDate } from './calendar.js';
import { explain } from './explain.js';
import { sum, type Nano } from './money.js';
import { cardInForce, eraOf, rateOf, type RateCard, type Rated } from './rate-card.js';
import type { SuspenseReason, Usage } from './usage.js';

export type Account = {
  readonly wabaId: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly phoneNumberIds: readonly string[];
};

/** All of a usage record that its price depends on. Records that agree in it are priced together. */
export type Priceable = Pick<
  Usage,
  'phoneNumberId' | 'marketHint' | 'category' | 'pricingType' | 'deliveredAt' | 'state' | 'suspenseReason'
>;

/** Usage records that are alike, one or many, with their price. `reason` is set when they cannot be priced; nothing is ever dropped. */
export type RatedUsage<Of extends Priceable = Priceable> = {
  readonly usage: Of;
  readonly quantity: number;
  readonly kind: StatementLine['kind'];
  readonly rated: Rated | null;
  readonly amount: Nano;
  readonly reason: SuspenseReason | null;
};

/** Prices records by the card in force on their local day. Pure: the same cards and the same knowledge give the same price. */
export const rateUsage = <Of extends Priceable>(
  usage: Of,
  account: Account,
  cards: readonly RateCard[],
  knownAt: string,
  quantity = 1,
): RatedUsage<Of> => {
  const unpriced = { usage, quantity, amount: 0n };
  if (usage.state === 'suspense') return { ...unpriced, kind: 'suspense', rated: null, reason: usage.suspenseReason };
  const card = cardInForce(cards, account.currency, localDate(usage.deliveredAt, account.timeZone), knownAt);
  const rated = card && usage.category ? rateOf(card, usage.marketHint, usage.category) : null;
  // What the provider gave for free is free also where no card names a price.
  if (usage.state === 'free') return { ...unpriced, kind: 'free', rated, reason: null };
  if (!rated) return { ...unpriced, kind: 'suspense', rated: null, reason: 'no_rate' };
  return { usage, quantity, kind: 'charged', rated, amount: rated.rate * BigInt(quantity), reason: null };
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
    const group = groups.get(id);
    if (group) group.push(record);
    else groups.set(id, [record]);
  }
  const lines = [...groups]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([lineId, group]) => lineOf(lineId, group, account));
  const freeTier = [...account.phoneNumberIds].sort().map((phoneNumberId) => ({
    phoneNumberId,
    used: quantityOf(
      records.filter(
        ({ usage }) => usage.phoneNumberId === phoneNumberId && usage.category?.endsWith('service') && usage.state !== 'suspense',
      ),
    ),
    allotment: ALLOTMENT,
  }));
  return {
    lines,
    total: { quantity: quantityOf(records), amount: sum(records.map(({ amount }) => amount)).toString() },
    freeTier,
  };
};

const quantityOf = (records: readonly RatedUsage[]): number => records.reduce((total, { quantity }) => total + quantity, 0);

const lineOf = (lineId: string, group: readonly RatedUsage[], account: Account): StatementLine[] => {
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
    quantity: quantityOf(group),
    rate: kind === 'charged' && rated ? rated.rate.toString() : null,
    amount: sum(group.map(({ amount }) => amount)).toString(),
    cardId: rated?.cardId ?? null,
    // What was free needs no card to be explained, and what it means to be free has changed with the era.
    era: rated?.era ?? (kind === 'free' ? eraOf(localDate(usage.deliveredAt, account.timeZone)) : null),
  };
  return [{ ...line, explanation: explain(line, reason) }];
};
