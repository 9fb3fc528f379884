import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cardBoundaries, cardInForce, marketOf, rateOf, type RateCard } from './rate-card.js';
import { buildStatement, rateUsage, type Account } from './statement.js';
import { formatNano, nano, sum } from './money.js';
import type { Usage } from './usage.js';

const card = (validFrom: string, knownAt: string, serviceRate: string, id = validFrom): RateCard => ({
  cardId: id,
  supplier: 'meta',
  currency: 'USD',
  validFrom,
  knownAt,
  era: validFrom < '2026-10-01' ? 'E4' : 'E5',
  markets: [
    { market: 'Spain', countries: ['ES'], prefixes: ['34'] },
    { market: 'North America', countries: ['US', 'CA'], prefixes: ['1'] },
    { market: 'Rest of Latin America', countries: ['DO'], prefixes: ['1809', '1829', '1849'] },
    { market: 'Russia', countries: ['RU'], prefixes: ['7'] },
    { market: 'Kazakhstan', countries: ['KZ'], prefixes: [] },
    { market: 'Other', countries: [], prefixes: [] },
  ],
  rows: ['Spain', 'North America', 'Rest of Latin America', 'Russia', 'Kazakhstan', 'Other'].flatMap((market) => [
    { market, category: 'service', rate: serviceRate },
    { market, category: 'utility', rate: serviceRate },
    { market, category: 'marketing', rate: '70700000' },
  ]),
  source: { description: 'test', sha256: '0'.repeat(64) },
});
const account: Account = { wabaId: '501', timeZone: 'Europe/Madrid', currency: 'USD', phoneNumberIds: ['1001'] };
const usage = (extra: Partial<Usage> = {}): Usage => ({
  messageRef: 'AAECAwQFBgcICQoLDA0ODw',
  participant: '-',
  chargeKind: 'message',
  wabaId: '501',
  phoneNumberId: '1001',
  marketHint: { country: 'ES', prefix: '3460' },
  category: 'service',
  pricingType: 'regular',
  pricingModel: 'PMP',
  deliveredAt: '2026-11-10T10:00:00.000Z',
  month: '2026-11',
  state: 'charged',
  suspenseReason: null,
  ...extra,
});
const KNOWN = '2026-12-01T00:00:00.000Z';

describe('the card in force', () => {
  it('changes at local midnight of the account, not at UTC midnight', () => {
    const cards = [
      card('2026-07-01', '2026-06-01T00:00:00.000Z', '1'),
      card('2026-10-01', '2026-09-01T00:00:00.000Z', '20000000'),
    ];
    const at = (deliveredAt: string) => rateUsage(usage({ deliveredAt }), account, cards, KNOWN).amount;
    expect(at('2026-09-30T21:59:59.999Z')).toBe(1n);
    expect(at('2026-09-30T22:00:00.000Z')).toBe(20_000_000n);
  });

  it('prefers what was known latest, and ignores what was not known yet', () => {
    const cards = [
      card('2026-10-01', '2026-09-01T00:00:00.000Z', '1', 'a'),
      card('2026-10-01', '2026-10-05T00:00:00.000Z', '2', 'b'),
    ];
    expect(cardInForce(cards, 'USD', '2026-10-03', '2026-10-04T00:00:00.000Z')?.cardId).toBe('a');
    expect(cardInForce(cards, 'USD', '2026-10-03', KNOWN)?.cardId).toBe('b');
    expect(cardInForce(cards, 'EUR', '2026-10-03', KNOWN)).toBeNull();
  });
});

describe('the market of a recipient', () => {
  const one = card('2026-10-01', '2026-09-01T00:00:00.000Z', '1');
  it.each([
    ['Spain', { country: 'ES', prefix: '3460' }],
    ['North America', { country: 'US', prefix: '1415' }],
    ['Rest of Latin America', { country: 'DO', prefix: '1809' }],
    ['Rest of Latin America', { country: null, prefix: '1829' }],
    ['Kazakhstan', { country: 'KZ', prefix: '7701' }],
    ['Russia', { country: 'RU', prefix: '7916' }],
    ['North America', { country: 'US', prefix: null }],
    ['Other', { country: 'JM', prefix: null }],
    ['Other', { country: null, prefix: null }],
  ])('%s', (market, hint) => {
    expect(marketOf(one, hint)).toBe(market);
  });

  it('has a price for each group category through its column', () => {
    expect(rateOf(one, { country: 'ES', prefix: '34' }, 'group_service')?.rate).toBe(1n);
    expect(rateOf(one, { country: 'ES', prefix: '34' }, 'general_purpose_ai')).toBeNull();
  });
});

describe('a statement', () => {
  const cards = [card('2026-10-01', '2026-09-01T00:00:00.000Z', '20000000')];
  const build = (list: readonly Usage[]) =>
    buildStatement(
      list.map((one) => rateUsage(one, account, cards, KNOWN)),
      account,
    );

  it('prices 4,000 of 5,000 service messages at 0.02: the worked example of 80.00', () => {
    const list = Array.from({ length: 5000 }, (_, index) =>
      usage(index < 1000 ? { state: 'free', pricingType: 'free_customer_service' } : {}),
    );
    const statement = build(list);
    expect(formatNano(nano(statement.total.amount))).toBe('80.00');
    expect(statement.lines.map(({ kind, quantity }) => [kind, quantity])).toEqual([
      ['charged', 4000],
      ['free', 1000],
    ]);
    expect(statement.freeTier).toEqual([{ phoneNumberId: '1001', used: 5000, allotment: 1000 }]);
  });

  it('is the same for records that are counted first and for each of them', () => {
    const boundaries = cardBoundaries(cards, 'USD', 'Europe/Madrid');
    expect(boundaries.map((at) => new Date(at).toISOString())).toEqual(['2026-09-30T22:00:00.000Z']);
    const alike = [usage(), usage({ state: 'free', pricingType: 'free_entry_point' }), usage({ category: 'unheard_of' })];
    const counted = alike.map((one, index) => rateUsage(one, account, cards, KNOWN, index + 2));
    expect(buildStatement(counted, account)).toEqual(
      build(alike.flatMap((one, index) => Array.from({ length: index + 2 }, () => one))),
    );
  });

  it('says by the date why something was free, also when no card has a price', () => {
    const free = { state: 'free', pricingType: 'free_customer_service' } as const;
    const explained = (deliveredAt: string) => {
      const [line] = buildStatement([rateUsage(usage({ ...free, deliveredAt }), account, [], KNOWN)], account).lines;
      return [line?.era, line?.explanation.en];
    };
    expect(explained('2026-09-30T21:59:59.999Z')).toEqual(['E4', 'Free: message inside the window (rule until 2026-09-30).']);
    expect(explained('2026-09-30T22:00:00.000Z')).toEqual(['E5', "Free: inside the month's free service messages."]);
  });

  it('shows what cannot be priced as a line of its own', () => {
    const statement = build([
      usage({ category: 'general_purpose_ai' }),
      usage({ state: 'suspense', suspenseReason: 'pricing_missing' }),
    ]);
    expect(statement.lines.map(({ kind, amount }) => [kind, amount])).toEqual([
      ['suspense', '0'],
      ['suspense', '0'],
    ]);
    expect(statement.lines.map(({ explanation }) => explanation.en)).toContain('No report of the provider carries a price yet.');
  });

  it('has the same bytes in any order, and its parts add up to its total', () => {
    const any = fc.record({
      hint: fc.constantFrom(
        { country: 'ES', prefix: '3460' },
        { country: 'US', prefix: '1415' },
        { country: null, prefix: null },
      ),
      category: fc.constantFrom('service', 'utility', 'marketing', 'unheard_of'),
      free: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (items) => {
        const list = items.map(({ hint, category, free }) =>
          usage({ marketHint: hint, category, ...(free ? { state: 'free', pricingType: 'free_entry_point' } : {}) }),
        );
        const statement = build(list);
        expect(build([...list].reverse())).toEqual(statement);
        expect(statement.lines.reduce((total, line) => total + line.quantity, 0)).toBe(list.length);
        expect(sum(statement.lines.map((line) => nano(line.amount))).toString()).toBe(statement.total.amount);
      }),
    );
  });
});

describe('formatting of nano-units', () => {
  it.each([
    [20_000_000n, '0.02'],
    [3_400_000n, '0.0034'],
    [0n, '0.00'],
    [-1_500_000_000n, '-1.50'],
    [80_000_000_000n, '80.00'],
    [1n, '0.000000001'],
  ])('%s is %s', (amount, text) => {
    expect(formatNano(amount)).toBe(text);
  });
});
