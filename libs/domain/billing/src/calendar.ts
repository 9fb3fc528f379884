import { Temporal } from 'temporal-polyfill';

/** Local date of an instant in an account's zone, `2026-10-01`. Prices change and months end at midnight there (billing reference 2.1). */
export const localDate = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString();

/** Local month of an instant in an account's zone, `2026-10`. */
export const localMonth = (instant: string, timeZone: string): string => localDate(instant, timeZone).slice(0, 7);

/** First instant after the month, in UTC: before it a period cannot be closed. */
export const endOfMonth = (month: string, timeZone: string): string =>
  Temporal.PlainDate.from(`${month}-01`)
    .add({ months: 1 })
    .toZonedDateTime(timeZone)
    .toInstant()
    .toString({ smallestUnit: 'millisecond' });

const DAY_MS = 24 * 3600 * 1000;
/** How far the provider's clock may lie behind and ahead of ours before an item's time is not believed (the provider redelivers for 7 days). */
const BEHIND_MS = 8 * DAY_MS;
const AHEAD_MS = 5 * 60 * 1000;

/** The effective time of a provider fact, and whether the provider's own time was out of bounds. */
export const effectiveTime = (providerTime: string, recordedTime: string): { readonly at: string; readonly clamped: boolean } => {
  const recorded = Date.parse(recordedTime);
  const provider = Date.parse(providerTime);
  const at = Math.min(Math.max(provider, recorded - BEHIND_MS), recorded + AHEAD_MS);
  return { at: new Date(at).toISOString(), clamped: at !== provider };
};
