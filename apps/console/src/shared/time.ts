import i18next from 'i18next';
import { locale } from '../i18n/index.js';

export type WindowState = {
  readonly kind: 'calm' | 'soon' | 'late' | 'closed' | 'none';
  readonly label: string;
  readonly share: number;
  readonly leftMs: number;
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How the 24-hour window looks at an instant: above four hours, below four, below one, closed, or nobody wrote yet. */
export const windowState = (
  expiresAt: string | null,
  now: number,
): Omit<WindowState, 'label'> & { readonly label: string | null } => {
  if (expiresAt === null) return { kind: 'none', label: null, share: 0, leftMs: 0 };
  const leftMs = Date.parse(expiresAt) - now;
  if (leftMs <= 0) return { kind: 'closed', label: null, share: 0, leftMs: 0 };
  const share = Math.min(1, leftMs / DAY);
  if (leftMs > 4 * HOUR) return { kind: 'calm', label: `${Math.floor(leftMs / HOUR)} h`, share, leftMs };
  if (leftMs > HOUR) return { kind: 'soon', label: hoursMinutes(leftMs), share, leftMs };
  return { kind: 'late', label: minutesSeconds(leftMs), share, leftMs };
};

const two = (value: number): string => String(value).padStart(2, '0');
const hoursMinutes = (ms: number): string => `${Math.floor(ms / HOUR)}:${two(Math.floor((ms % HOUR) / 60_000))}`;
export const minutesSeconds = (ms: number): string => `${two(Math.floor(ms / 60_000))}:${two(Math.floor((ms % 60_000) / 1000))}`;

/** A length of time in its largest unit, `4 min`. */
export const roughly = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return i18next.t('time.second', { n: seconds });
  if (seconds < 3600) return i18next.t('time.minute', { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return i18next.t('time.hour', { n: Math.floor(seconds / 3600) });
  return i18next.t('time.day', { n: Math.floor(seconds / 86_400) });
};

/** Time of day in the viewer's zone, 24 h. */
export const clockTime = (instant: string): string =>
  new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(instant));

/** Time when it was today, else the date. */
export const shortTime = (instant: string, now: number): string =>
  new Date(instant).toDateString() === new Date(now).toDateString()
    ? clockTime(instant)
    : new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' }).format(new Date(instant));

const format = (instant: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(locale(), { hour12: false, ...options }).format(new Date(instant));

/** A day in full, for the lines between messages. */
export const longDay = (instant: string): string =>
  format(instant, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

/** Day and time of day in the viewer's zone. */
export const dateAndTime = (instant: string): string =>
  format(instant, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** Time of day when it is today, else with the day: most windows end tomorrow. */
export const timeOrDay = (instant: string, now: number): string =>
  new Date(instant).toDateString() === new Date(now).toDateString() ? clockTime(instant) : dateAndTime(instant);

/** Time of day to the millisecond in the viewer's zone: decisions follow each other fast. */
export const preciseTime = (instant: string): string =>
  format(instant, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });

/** Date and time in UTC, for the ledger. */
export const utcTime = (instant: string): string =>
  format(instant, {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZone: 'UTC',
  });

/** Date and time in a named zone, for billing. */
export const zonedTime = (instant: string, timeZone: string): string =>
  format(instant, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone });

/** A number, grouped also where the language would leave four digits together: columns must line up. */
export const grouped = (value: number | string): string =>
  new Intl.NumberFormat(locale(), { useGrouping: 'always' }).format(typeof value === 'string' ? BigInt(value) : value);

/** `November 2026` for `2026-11`. */
export const monthName = (month: string): string => {
  const name = format(`${month}-15T12:00:00.000Z`, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
};

/** Time of day with seconds in the viewer's zone. */
export const clockSeconds = (at: number): string =>
  format(new Date(at).toISOString(), { hour: '2-digit', minute: '2-digit', second: '2-digit' });
