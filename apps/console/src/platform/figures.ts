import i18next from 'i18next';
import { locale } from '../i18n/index.js';
import { grouped, roughly } from '../shared/time.js';

/** What stands where a figure is not known. */
export const UNKNOWN = '–';

const number = (value: number, digits: number): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits, useGrouping: 'always' }).format(value);

/** A length of time from milliseconds to days, in two or three digits. */
export const seconds = (value: number | null): string => {
  if (value === null) return UNKNOWN;
  if (value < 0.0005) return i18next.t('time.second', { n: 0 });
  if (value < 1) return i18next.t('platform.milliseconds', { n: number(value * 1000, 0) });
  if (value < 10) return i18next.t('time.second', { n: number(value, 1) });
  // A minute and a half is not one minute to somebody who watches it grow.
  return value < 120 ? i18next.t('time.second', { n: number(value, 0) }) : roughly(value * 1000);
};

export const count = (value: number | null): string => (value === null ? UNKNOWN : grouped(Math.round(value)));

export const rate = (value: number | null): string => (value === null ? UNKNOWN : number(value, value < 100 ? 1 : 0));

export const megabytes = (bytes: number | null): string => (bytes === null ? UNKNOWN : `${number(bytes / 1e6, 0)} MB`);

/** The largest of a history, or null when nothing of it is known. */
export const highest = (history: readonly (number | null)[]): number | null => {
  const known = history.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
};
