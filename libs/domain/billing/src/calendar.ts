import { Temporal } from 'temporal-polyfill';

/** Local date of an instant in an account's zone, `2026-10-01`. Prices change and months end at midnight there (billing reference 2.1). */
export const localDate = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString();

/** True for an IANA time zone that this machine knows. */
export const isTimeZone = (name: string): boolean => {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
};

type LocalMonth = { readonly name: string; readonly from: number; readonly to: number };

/** First instant of a local day, in milliseconds; where clocks jump over midnight, the day begins later. */
const startOf = (date: Temporal.PlainDate, timeZone: string): number => date.toZonedDateTime(timeZone).epochMilliseconds;

/** The same for a date as it is written, `2026-10-01`. */
export const startOfDay = (date: string, timeZone: string): number => startOf(Temporal.PlainDate.from(date), timeZone);

/** Months that were asked for, by zone: the calendar is slow, and a log has few months and many deliveries. */
const knownMonths = new Map<string, LocalMonth[]>();

/** Local month of an instant (milliseconds) in an account's zone, `2026-10`. */
export const localMonth = (instant: number, timeZone: string): string => {
  const months = knownMonths.get(timeZone) ?? [];
  const known = months.find(({ from, to }) => from <= instant && instant < to);
  if (known) return known.name;
  const first = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone).toPlainDate().with({ day: 1 });
  const name = first.toString().slice(0, -3);
  knownMonths.set(timeZone, [
    ...months,
    { name, from: startOf(first, timeZone), to: startOf(first.add({ months: 1 }), timeZone) },
  ]);
  return name;
};

const DAY_MS = 24 * 3600 * 1000;
/** How far the provider's clock may lie behind and ahead of ours before an item's time is not believed (the provider redelivers for 7 days). */
const BEHIND_MS = 8 * DAY_MS;
const AHEAD_MS = 5 * 60 * 1000;

/** The effective time of a provider fact (milliseconds), and whether the provider's own time was out of bounds. */
export const effectiveTime = (providerTime: string, recordedTime: string): { readonly at: number; readonly clamped: boolean } => {
  const recorded = Date.parse(recordedTime);
  const provider = Date.parse(providerTime);
  const at = Math.min(Math.max(provider, recorded - BEHIND_MS), recorded + AHEAD_MS);
  return { at, clamped: at !== provider };
};
