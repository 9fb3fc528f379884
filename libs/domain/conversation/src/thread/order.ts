import { instant, millis } from '../time.js';

const SECOND_MS = 1000;

/** A line of a thread on its way to its place. All instants are UTC with milliseconds. */
export type Placed = {
  /** What was said outside, whose time the provider gives in whole seconds; or what somebody did here, by our clock. */
  readonly origin: 'provider' | 'here';
  /** When it was said or done. */
  readonly at: string;
  /** When our stream recorded it. */
  readonly recordedAt: string;
};

/**
 * The instant by which a line stands in its thread; lines of one instant stand in the order of the case's stream. `newest` is the
 * largest such instant of the lines that were recorded before; null when there is none. The rules, docs/decisions/0012:
 *
 * 1. What was done here stands after everything that was recorded before it: whoever answers has that on the screen, whatever the
 *    clocks say.
 * 2. What the provider tells stands in its own second, so messages of different seconds stand in the order in which they were said,
 *    however late they come.
 * 3. Within its second it stands where it was recorded: after what was there already, as late in the second as it can have been said.
 *
 * A place never changes once given, so pages that were read stay right.
 */
export const placeInThread = ({ origin, at, recordedAt }: Placed, newest: string | null): string => {
  const after = newest === null ? Number.NEGATIVE_INFINITY : millis(newest);
  if (origin === 'here') return instant(Math.max(millis(at), after));
  const second = Math.floor(millis(at) / SECOND_MS) * SECOND_MS;
  const last = second + SECOND_MS - 1;
  const said = Math.min(Math.max(millis(recordedAt), millis(at)), last);
  // Something of a later second stands there already: this one comes late.
  return instant(after > last ? said : Math.max(said, after));
};
