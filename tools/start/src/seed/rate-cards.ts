import { createHash } from 'node:crypto';
import type { RateCardBody } from '@centralita/contracts';
import type { z } from 'zod';

type RateCard = z.input<typeof RateCardBody>;

// Third-party transcriptions of the provider's list of October 2026, US dollars per delivered message. Good for a demonstration, not
// for showing money to a customer: only the provider's own file is.
const list = `Market,Countries,Prefixes,Marketing,Utility,Authentication,Service
Spain,ES,34,0.0707,0.0200,0.0200,0.0200
United Kingdom,GB,44,0.0635,0.0220,0.0220,0.0220
Brazil,BR,55,0.0625,0.0068,0.0068,0.0068
Rest of Western Europe,AT BE DK FI IE NO PT SE CH,43 32 45 358 353 47 351 46 41,0.0592,0.0171,0.0171,0.0171
North America,US CA,,0.0250,0.0034,0.0034,0.0034
Other,,,0.0604,0.0077,0.0077,0.0077
`;

/** Decimal text to nano-units, without a float on the way: `0.0707` is 70700000. */
export const nanoUnits = (decimal: string): string => {
  const found = /^(\d+)(?:\.(\d{1,9}))?$/.exec(decimal);
  if (found === null) throw new RangeError(`"${decimal}" is no amount with at most nine decimals`);
  return (BigInt(found[1] as string) * 1_000_000_000n + BigInt((found[2] ?? '').padEnd(9, '0'))).toString();
};

const card = (validFrom: string, era: RateCard['era'], description: string): RateCard => {
  const [head = '', ...lines] = list.trim().split('\n');
  const categories = head
    .split(',')
    .slice(3)
    .map((name) => name.toLowerCase());
  const rows = lines.map((line) => line.split(','));
  return {
    supplier: 'meta',
    currency: 'USD',
    validFrom,
    era,
    markets: rows.map(([market = '', countries = '', prefixes = '']) => ({
      market,
      countries: countries.split(' ').filter(Boolean),
      // +1 is shared by many markets: there the country alone decides.
      prefixes: prefixes.split(' ').filter(Boolean),
    })),
    rows: rows.flatMap(([market = '', , , ...rates]) =>
      rates.map((rate, index) => ({ market, category: categories[index] as string, rate: nanoUnits(rate) })),
    ),
    source: { description, sha256: createHash('sha256').update(list).digest('hex') },
  };
};

/** What was in force before and since 2026-10-01, when replies inside the window began to cost. */
export const rateCards: readonly RateCard[] = [
  card('2025-07-01', 'E4', 'demonstration list, rules until 2026-09-30'),
  card('2026-10-01', 'E5', 'demonstration list, rules since 2026-10-01'),
];
