import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addsUp, decimalOf, formatAmount, formatExactly, formatRate } from './money.js';

describe('nano-units', () => {
  it.each([
    ['80000000000', '80.000000000'],
    ['0', '0.000000000'],
    ['1', '0.000000001'],
    ['-119353500', '-0.119353500'],
  ])('%s is %s', (nano, decimal) => {
    expect(decimalOf(nano)).toBe(decimal);
  });

  it('keep every digit, however many there are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (nano) => {
        expect(BigInt(decimalOf(nano.toString()).replace('.', ''))).toBe(nano);
      }),
    );
  });

  it.each([
    ['es-ES', '1234567890000', '1.234,57'],
    ['en-GB', '1234567890000', '1,234.57'],
    ['pt-BR', '1234567890000', '1.234,57'],
    ['en-GB', '5000000', '0.01'],
    ['en-GB', '90071992547409931230000000', '90,071,992,547,409,931.23'],
  ])('are an amount in %s: %s is %s', (locale, nano, text) => {
    expect(formatAmount(nano, locale)).toBe(text);
  });

  it('are a rate per 1,000 without rounding', () => {
    expect(formatRate('20000000', 'es-ES')).toBe('20,00');
    expect(formatRate('17050500', 'en-GB')).toBe('17.0505');
    expect(formatExactly('119353500', 'en-GB')).toBe('0.1193535');
  });
});

it('adds up exactly, or does not', () => {
  expect(addsUp(['80000000000', '75891000000', '119353500'], '156010353500')).toBe(true);
  expect(addsUp(['80000000000', '1'], '80000000000')).toBe(false);
});
