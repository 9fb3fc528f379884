export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Milliseconds since the epoch of a UTC instant. */
export const millis = (instant: string): number => Date.parse(instant);
/** UTC instant with milliseconds, the form of the contracts. */
export const instant = (milliseconds: number): string => new Date(milliseconds).toISOString();
/** The later of two instants; null stands for never. */
export const later = (known: string | null, other: string): string =>
  known !== null && millis(known) >= millis(other) ? known : other;
