import type { Millis } from './instants.js';
import { requirementOf } from './select.js';
import type { RoutingState } from './state.js';

/**
 * The next moment at which the state decides something by itself: an offer or a wrap-up ends (also when that is past already), or,
 * later than `after`, a language requirement is relaxed or an agent may be asked again. Null when only an input can change anything.
 * `after` is the time of the last input.
 */
export const nextDeadline = (state: RoutingState, after: Millis): Millis | null => {
  let next = Number.POSITIVE_INFINITY;
  for (const task of state.tasks.values()) {
    if (task.phase.name === 'offered') next = Math.min(next, task.phase.expiresAt);
    if (task.phase.name === 'wrapping') next = Math.min(next, task.phase.until);
    if (task.phase.name !== 'waiting') continue;
    const { relaxesAt } = requirementOf(state, task, after);
    if (relaxesAt !== null) next = Math.min(next, relaxesAt);
    for (const refusedAt of task.refusals.values()) {
      const askedAgainAt = refusedAt + state.policy.offerTimeoutMs;
      if (askedAgainAt > after) next = Math.min(next, askedAgainAt);
    }
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
};
