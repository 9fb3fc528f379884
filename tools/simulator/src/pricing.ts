import { Temporal } from 'temporal-polyfill';
import type { Charge } from './journal.js';
import type { BusinessNumber, Customer } from './world.js';

/**
 * The simulator's own price list, kept apart from the platform's rating on purpose. Figures: third-party transcriptions of the provider's
 * file of 2026-10-09, nano-US-dollars per delivered message; utility, authentication and service cost the same.
 */
const rates: Record<string, { marketing: bigint; other: bigint }> = {
  Spain: { marketing: 70_700_000n, other: 20_000_000n },
  'United Kingdom': { marketing: 63_500_000n, other: 22_000_000n },
  Brazil: { marketing: 62_500_000n, other: 6_800_000n },
  'Rest of Western Europe': { marketing: 59_200_000n, other: 17_100_000n },
  'North America': { marketing: 25_000_000n, other: 3_400_000n },
  Other: { marketing: 60_400_000n, other: 7_700_000n },
};
const marketOfCountry: Record<string, string> = {
  ES: 'Spain',
  GB: 'United Kingdom',
  BR: 'Brazil',
  PT: 'Rest of Western Europe',
  US: 'North America',
  CA: 'North America',
};

/** The provider's pricing object. */
export type PricingObject = { billable: boolean; pricing_model: 'PMP'; type: string; category: string };

/** Decides what each delivered message costs: 1,000 free service messages a number and month (or as many as configured), then the market's rate. */
export class PriceList {
  readonly #used = new Map<string, number>();

  constructor(private readonly freeTier: number) {}

  /** Called once for each message and participant that will be delivered. */
  price(number: BusinessNumber, category: string, atSeconds: number): PricingObject {
    if (category !== 'service') return { billable: true, pricing_model: 'PMP', type: 'regular', category };
    const key = `${number.phoneNumberId}:${monthOf(number, atSeconds)}`;
    const used = (this.#used.get(key) ?? 0) + 1;
    this.#used.set(key, used);
    const free = used <= this.freeTier;
    return { billable: !free, pricing_model: 'PMP', type: free ? 'free_customer_service' : 'regular', category };
  }
}

export const chargeOf = (
  number: BusinessNumber,
  customer: Customer,
  participant: string | null,
  wamid: string,
  pricing: PricingObject,
  deliveredAtSeconds: number,
): Charge => {
  const market = marketOfCountry[customer.country] ?? 'Other';
  const rate = rates[market];
  if (!rate) throw new RangeError(`no rate for market ${market}`);
  const amount = pricing.type === 'regular' ? (pricing.category === 'marketing' ? rate.marketing : rate.other) : 0n;
  return {
    wamid,
    participant,
    wabaId: number.wabaId,
    phoneNumberId: number.phoneNumberId,
    market,
    category: pricing.category,
    pricingType: pricing.type,
    deliveredAtSeconds,
    month: monthOf(number, deliveredAtSeconds),
    currency: number.currency,
    amountNano: amount.toString(),
  };
};

const monthOf = (number: BusinessNumber, atSeconds: number): string =>
  Temporal.Instant.fromEpochMilliseconds(atSeconds * 1000)
    .toZonedDateTimeISO(number.timeZone)
    .toString()
    .slice(0, 7);
