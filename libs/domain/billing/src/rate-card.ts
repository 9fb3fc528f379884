import type { EventData, MarketHint } from '@centralita/contracts';
import { startOfDay } from './calendar.js';
import { nano, type Nano } from './money.js';

/** A supplier's price list, as its event says. */
export type RateCard = EventData<'rate.card.published.v1'>;

export type Rated = { readonly rate: Nano; readonly market: string; readonly cardId: string; readonly era: RateCard['era'] };

/** The provider's rules on a local date (billing reference 2.1): since E5 what is inside a window is charged. Older eras come with their cards. */
export const eraOf = (date: string): RateCard['era'] => (date < '2026-10-01' ? 'E4' : 'E5');

/** Categories that the printed card does not name, by the column that prices them (billing reference 2.3: a group send costs a unit per recipient). */
const columnOf: Readonly<Record<string, string>> = {
  group_service: 'service',
  group_utility: 'utility',
  group_marketing: 'marketing',
  marketing_lite: 'marketing',
  referral_conversion: 'service',
};

/**
 * The card in force on a local date, as known at an instant: bitemporal, newest validity first, then newest knowledge. The currency is
 * the account's; cards are printed, never converted.
 */
export const cardInForce = (cards: readonly RateCard[], currency: string, date: string, knownAt: string): RateCard | null =>
  cards
    .filter((card) => card.currency === currency && card.validFrom <= date && card.knownAt <= knownAt)
    .sort(
      (left, right) =>
        compare(right.validFrom, left.validFrom) || compare(right.knownAt, left.knownAt) || compare(left.cardId, right.cardId),
    )[0] ?? null;

/** Instants (milliseconds) at which another card may come into force: between two of them a price does not change. Ascending. */
export const cardBoundaries = (cards: readonly RateCard[], currency: string, timeZone: string): number[] =>
  [...new Set(cards.filter((card) => card.currency === currency).map((card) => card.validFrom))]
    .map((date) => startOfDay(date, timeZone))
    .sort((left, right) => left - right);

/** The market of a recipient: the longest matching prefix among markets that do not contradict the country, then the country, then Other. */
export const marketOf = (card: RateCard, hint: MarketHint): string => {
  const byCountry =
    hint.country === null ? undefined : card.markets.find((market) => market.countries.includes(hint.country ?? ''));
  const byPrefix = card.markets
    .flatMap((market) => market.prefixes.map((prefix) => ({ market, prefix })))
    .filter(({ prefix }) => hint.prefix?.startsWith(prefix))
    .sort((left, right) => right.prefix.length - left.prefix.length)[0];
  // A long prefix is finer than a country (+1 809); a bare calling code is coarser (+7 is Russia and Kazakhstan).
  if (byPrefix && (byPrefix.prefix.length === 4 || !byCountry)) return byPrefix.market.market;
  return byCountry?.market ?? 'Other';
};

/** The price of one unit, or null when the card has no row for it. */
export const rateOf = (card: RateCard, hint: MarketHint, category: string): Rated | null => {
  const market = marketOf(card, hint);
  const column = columnOf[category] ?? category;
  const row = card.rows.find((candidate) => candidate.market === market && candidate.category === column);
  return row ? { rate: nano(row.rate), market, cardId: card.cardId, era: card.era } : null;
};

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
