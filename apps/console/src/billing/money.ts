/** Nano-units (10^-9 of the major unit) of an amount, as decimal digits of the major unit. Digits are moved, never calculated with. */
export const decimalOf = (nano: string, shift = 9): string => {
  const [, sign = '', digits = '0'] = /^(-?)(\d+)$/.exec(nano) ?? [];
  const padded = digits.padStart(shift + 1, '0');
  const whole = padded.slice(0, padded.length - shift);
  return `${sign}${whole}.${padded.slice(padded.length - shift)}`;
};

const format = (decimal: string, locale: string, options: Intl.NumberFormatOptions): string =>
  // A decimal string is formatted digit by digit; a number would first become a float.
  new Intl.NumberFormat(locale, { useGrouping: 'always', ...options }).format(decimal as Intl.StringNumericLiteral);

/** An amount with two decimals, halves away from zero. The currency stands in the head of the column. */
export const formatAmount = (nano: string, locale: string): string =>
  format(decimalOf(nano), locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** All digits that there are, for who wants to know exactly. */
export const formatExactly = (nano: string, locale: string): string =>
  format(decimalOf(nano), locale, { minimumFractionDigits: 2, maximumFractionDigits: 9 });

/** A rate per message as a rate per 1,000: at least two decimals, and as many as it takes to be exact. */
export const formatRate = (nano: string, locale: string): string =>
  format(decimalOf(nano, 6), locale, { minimumFractionDigits: 2, maximumFractionDigits: 6 });

/** Do the parts add up to the total? */
export const addsUp = (parts: readonly string[], total: string): boolean =>
  parts.reduce((sum, part) => sum + BigInt(part), 0n) === BigInt(total);
