/** Nano-units (10^-9) of a currency's major unit. Money is never a float. */
export type Nano = bigint;

/** Reads decimal digits of nano-units, as they stand in events and rows. */
export const nano = (digits: string): Nano => BigInt(digits);

export const sum = (amounts: readonly Nano[]): Nano => amounts.reduce((total, amount) => total + amount, 0n);

/** Decimal notation of the major unit without trailing zeros beyond two decimals: 20000000n gives `0.02`, 3400000n gives `0.0034`. */
export const formatNano = (amount: Nano): string => {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(10, '0');
  const whole = digits.slice(0, -9);
  const fraction = digits.slice(-9).replace(/0+$/, '').padEnd(2, '0');
  return `${amount < 0n ? '-' : ''}${whole}.${fraction}`;
};
