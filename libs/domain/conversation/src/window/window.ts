import type { WindowEvent } from '../event.js';
import { DAY_MS, HOUR_MS, instant, later, millis } from '../time.js';

/** Length of the customer service window after the customer's last message or call. */
export const WINDOW_MS = 24 * HOUR_MS;
const OLDEST_MS = 8 * DAY_MS;
const NEWEST_MS = 5 * 60_000;

/**
 * When something happened, as far as the provider may be believed: its time, clamped to [recorded − 8 days, recorded + 5 minutes].
 * Redeliveries stop after 7 days, so an older time is a wrong clock; so is one in the future.
 */
export const effectiveTime = (providerTime: string, recordedTime: string): string => {
  const recorded = millis(recordedTime);
  return instant(Math.min(Math.max(millis(providerTime), recorded - OLDEST_MS), recorded + NEWEST_MS));
};

/**
 * The customer service window of one (business number, subject).
 * - `openedAt`: effective time of the latest message or call of the customer; null when there was none.
 * - `contradictedAt`: the latest time at which the provider said that the window is closed (error 131047), whose word counts more
 *   than our clock; null when it never did.
 *
 * Both are maxima, so the state does not depend on the order in which evidence arrives.
 */
export type WindowState = { readonly openedAt: string | null; readonly contradictedAt: string | null };
export const noWindow: WindowState = { openedAt: null, contradictedAt: null };

/** The window after a customer's message or call of that effective time. */
export const openWindow = (state: WindowState, effectiveAt: string): WindowState => ({
  ...state,
  openedAt: later(state.openedAt, effectiveAt),
});

/**
 * The window after the provider refused a message, sent at that time, because the window was closed. Customers' times are whole seconds,
 * so this one is cut to the second: what they wrote later in it must not look older.
 */
export const contradictWindow = (state: WindowState, at: string): WindowState => ({
  ...state,
  contradictedAt: later(state.contradictedAt, instant(Math.floor(millis(at) / 1000) * 1000)),
});

/** Folds recorded windows; an older opening that arrives late moves nothing. */
export const evolveWindow = (state: WindowState, event: WindowEvent): WindowState => openWindow(state, event.data.openedAt);

/** When the window closes or closed; null when it never opened. Own replies never move it. */
export const windowExpiresAt = ({ openedAt, contradictedAt }: WindowState): string | null => {
  if (openedAt === null) return null;
  const expires = millis(openedAt) + WINDOW_MS;
  if (contradictedAt === null || millis(contradictedAt) <= millis(openedAt)) return instant(expires);
  return instant(Math.min(expires, millis(contradictedAt)));
};

/**
 * Whether a call moves the window: a user who calls, answered or not, and a user who accepts our call. Only the offer of the user's
 * call counts, not its end, which may come hours later.
 */
export const callOpensWindow = (call: {
  readonly event: string;
  readonly direction: string | null;
  readonly status: string | null;
}): boolean => isUserCall(call) || call.status?.toUpperCase() === 'ACCEPTED';

/** The offer of a call that the customer made. */
export const isUserCall = (call: { readonly event: string; readonly direction: string | null }): boolean =>
  call.event.toLowerCase() === 'connect' && call.direction?.toUpperCase() === 'USER_INITIATED';
