import type { Millis } from './instants.js';
import { activeTarget, candidatesOf, judgeOf, requirementOf, type CandidateReason } from './select.js';
import type { RoutingState, Task } from './state.js';

/** True when the customer service window ends within the policy's time; one that has ended is no longer urgent. */
export const closesSoon = (task: Pick<Task, 'windowExpiresAt'>, closingWindowMs: number, at: Millis): boolean =>
  task.windowExpiresAt !== null && task.windowExpiresAt > at && task.windowExpiresAt - at <= closingWindowMs;

/** End of a window that ends soon; later than all of them when it does not. */
const urgentUntil = (task: Task, closingWindowMs: number, at: Millis): Millis =>
  closesSoon(task, closingWindowMs, at) ? Number(task.windowExpiresAt) : Number.POSITIVE_INFINITY;

/**
 * Total order of waiting tasks: priority, then tasks whose window ends soon (the soonest first), then the oldest, then the id.
 * A task that was declined or missed keeps its age and with it its place.
 */
export const byUrgency =
  (closingWindowMs: number, at: Millis) =>
  (a: Task, b: Task): number => {
    if (a.priority !== b.priority) return b.priority - a.priority;
    const [aCloses, bCloses] = [urgentUntil(a, closingWindowMs, at), urgentUntil(b, closingWindowMs, at)];
    if (aCloses !== bCloses) return aCloses < bCloses ? -1 : 1;
    return a.queuedAt - b.queuedAt || (a.taskId < b.taskId ? -1 : 1);
  };

/** Why a task waits, for people: the obstacle that is nearest to being gone. */
export type WhyWaiting =
  | 'no_queue'
  | 'nobody_in_queue'
  | 'missing_skill'
  | 'nobody_online'
  | 'declined_by_all'
  | 'all_busy'
  | 'target_busy'
  | 'about_to_be_offered';

/** Reasons in the order from nearest to farthest from eligible. */
const nearness: readonly (readonly [CandidateReason, WhyWaiting])[] = [
  ['wrapping', 'all_busy'],
  ['offer_open', 'all_busy'],
  ['at_capacity', 'all_busy'],
  ['declined_before', 'declined_by_all'],
  ['not_online', 'nobody_online'],
  ['missing_skill', 'missing_skill'],
  ['not_in_queue', 'nobody_in_queue'],
];

export const whyWaiting = (state: RoutingState, task: Task, at: Millis): WhyWaiting => {
  const target = activeTarget(state, task);
  const { candidates, chosen } = candidatesOf(state, judgeOf(state, task, requirementOf(state, task, at), at));
  if (chosen) return 'about_to_be_offered';
  if (target) return 'target_busy';
  if (task.queueId === null) return 'no_queue';
  const reasons = new Set(candidates.map((candidate) => candidate.reason));
  return nearness.find(([reason]) => reasons.has(reason))?.[1] ?? 'nobody_in_queue';
};

/** True when nobody who is online could serve the task even with empty hands. */
export const isUnserved = (why: WhyWaiting): boolean =>
  why === 'no_queue' || why === 'nobody_in_queue' || why === 'missing_skill' || why === 'nobody_online';
