import type { RoutingEvent, RoutingEventOf } from './events.js';
import { applyTo, draftOf } from './evolve.js';
import { toMillis } from './instants.js';
import { decisionAbout } from './route.js';
import { initialState, type RoutingState } from './state.js';

type Decided = RoutingEventOf<'routing.decided.v1'>['data'];

/** A decision or an offer that does not follow from the events before it. */
export type Contradiction = { readonly position: number; readonly taskId: string; readonly what: string };

const comparable = ({ policyVersion, step, chosenAgentId, rule, candidates }: Omit<Decided, 'decisionId'>): string =>
  JSON.stringify([
    ...[policyVersion, step, chosenAgentId, rule],
    candidates.map(({ agentId, eligible, reason, load, capacity, idleSince }) => [
      ...[agentId, eligible, reason, load, capacity, idleSince],
    ]),
  ]);

/**
 * Decides again what a log says was decided (invariant 13): every `routing.decided` must be what its prefix and its own time give, every
 * offer what the decision before it chose. Needs the events alone, in the order of `domain_seq`; `from` is a state to go on from.
 */
export const replayDecisions = (
  events: Iterable<RoutingEvent>,
  from: RoutingState = initialState,
): { readonly state: RoutingState; readonly contradictions: readonly Contradiction[] } => {
  const draft = draftOf(from);
  const contradictions: Contradiction[] = [];
  let decided: Decided | null = null;
  for (const event of events) {
    const say = (taskId: string, what: string): void => {
      contradictions.push({ position: draft.position + 1, taskId, what });
    };
    if (event.type === 'routing.decided.v1') {
      const { taskId } = event.data;
      const task = draft.tasks.get(taskId);
      if (task?.phase.name !== 'waiting') say(taskId, 'a decision about a task that does not wait');
      else if (comparable(decisionAbout(draft, task, toMillis(event.data.decidedAt))) !== comparable(event.data))
        say(taskId, 'decided otherwise than its prefix gives');
    }
    if (event.type === 'reservation.offered.v1') {
      const { taskId, decisionId, agentId } = event.data;
      if (decided?.decisionId !== decisionId || decided.chosenAgentId !== agentId || decided.taskId !== taskId)
        say(taskId, 'an offer that is not what was decided right before it');
    }
    decided = event.type === 'routing.decided.v1' ? event.data : null;
    applyTo(draft, event);
  }
  return { state: draft, contradictions };
};
