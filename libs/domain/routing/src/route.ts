import type { RoutingEventOf } from './events.js';
import { toInstant, type Millis } from './instants.js';
import { namesOf, type Recorder } from './recorder.js';
import { activeTarget, candidatesOf, judgeOf, requirementOf } from './select.js';
import { hasRoom, type Agent, type RoutingState, type Task } from './state.js';
import { byUrgency } from './waiting.js';

/**
 * Offers waiting tasks, the most urgent first, to the best agent that can take each. A task that nobody can take gets one decision
 * per turn and ring that says why; it is not said again until something about the task changes.
 */
export const route = (recorder: Recorder): void => {
  const { state, at } = recorder;
  const waiting = [...state.tasks.values()].filter((task) => task.phase.name === 'waiting');
  if (waiting.length === 0) return;
  let free = agentsWithRoom(state.agents.values());
  const urgent = byUrgency(state.policy.closingWindowMs, at);
  // With a long queue and everybody busy nothing can be offered: only what has not been explained needs a look.
  const worthALook = free.length > 0 ? waiting : waiting.filter((task) => needsExplanation(recorder, task));
  for (const task of worthALook.sort(urgent)) {
    if (free.length === 0 && !needsExplanation(recorder, task)) continue;
    const requirement = requirementOf(state, task, at);
    const judge = judgeOf(state, task, requirement, at);
    const someoneCan = free.some((agent) => judge(agent) === null);
    if (!someoneCan && task.explainedStep === requirement.step) continue;
    recordDecision(recorder, decisionAbout(state, task, at, requirement, judge));
    if (someoneCan) free = agentsWithRoom(state.agents.values());
  }
};

const agentsWithRoom = (agents: Iterable<Agent>): Agent[] =>
  [...agents].filter((agent) => agent.presence === 'online' && hasRoom(agent));

const needsExplanation = ({ state, at }: Recorder, task: Task): boolean =>
  task.explainedStep !== requirementOf(state, task, at).step;

const ruleOf = (state: RoutingState, task: Task, chosen: boolean): string => {
  const target = activeTarget(state, task);
  if (target) return chosen ? 'transfer-target' : 'transfer-target-busy';
  const queued = task.queueId === null ? 'no-queue' : chosen ? state.policy.selection : 'nobody-eligible';
  return task.targetAgentId === null ? queued : `${queued}, transfer-target-not-there`;
};

type Decided = Omit<RoutingEventOf<'routing.decided.v1'>['data'], 'decisionId'>;

/** What a state decides about a waiting task at one moment, and why: a function of these three alone, so that it can be decided again. */
export const decisionAbout = (
  state: RoutingState,
  task: Task,
  at: Millis,
  requirement = requirementOf(state, task, at),
  judge = judgeOf(state, task, requirement, at),
): Decided => {
  const { candidates, chosen } = candidatesOf(state, judge);
  return {
    ...namesOf(task),
    policyVersion: state.policy.policyVersion,
    step: requirement.step,
    decidedAt: toInstant(at),
    candidates,
    chosenAgentId: chosen?.agentId ?? null,
    rule: ruleOf(state, task, chosen !== null),
  };
};

/** Records a decision, and the offer that follows when somebody was chosen. */
const recordDecision = (recorder: Recorder, decided: Decided): void => {
  const { state, at } = recorder;
  const { taskId, conversationId, subjectId, chosenAgentId } = decided;
  const decisionId = recorder.newId('decision', taskId);
  recorder.record({ type: 'routing.decided.v1', data: { ...decided, decisionId } });
  if (chosenAgentId === null) return;
  recorder.record({
    type: 'reservation.offered.v1',
    data: {
      ...{ taskId, conversationId, subjectId },
      reservationId: recorder.newId('reservation', taskId),
      agentId: chosenAgentId,
      decisionId,
      offeredAt: toInstant(at),
      expiresAt: toInstant(at + state.policy.offerTimeoutMs),
    },
  });
};
