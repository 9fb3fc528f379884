import { toInstant } from './instants.js';
import { namesOf, type Recorder } from './recorder.js';
import { activeTarget, candidatesOf, judgeOf, requirementOf, type Judge } from './select.js';
import { hasRoom, type Agent, type Task } from './state.js';
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
    decideAbout(recorder, task, requirement.step, judge);
    if (someoneCan) free = agentsWithRoom(state.agents.values());
  }
};

const agentsWithRoom = (agents: Iterable<Agent>): Agent[] =>
  [...agents].filter((agent) => agent.presence === 'online' && hasRoom(agent));

const needsExplanation = ({ state, at }: Recorder, task: Task): boolean =>
  task.explainedStep !== requirementOf(state, task, at).step;

const ruleOf = (recorder: Recorder, task: Task, chosen: boolean): string => {
  const target = activeTarget(recorder.state, task);
  if (target) return chosen ? 'transfer-target' : 'transfer-target-busy';
  const queued = task.queueId === null ? 'no-queue' : chosen ? recorder.state.policy.selection : 'nobody-eligible';
  return task.targetAgentId === null ? queued : `${queued}, transfer-target-not-there`;
};

/** Records the decision, and the offer that follows when somebody was chosen. */
const decideAbout = (recorder: Recorder, task: Task, step: number, judge: Judge): void => {
  const { state, at } = recorder;
  const { candidates, chosen } = candidatesOf(state, judge);
  const decisionId = recorder.newId('decision', task.taskId);
  recorder.record({
    type: 'routing.decided.v1',
    data: {
      ...namesOf(task),
      decisionId,
      policyVersion: state.policy.policyVersion,
      step,
      decidedAt: toInstant(at),
      candidates,
      chosenAgentId: chosen?.agentId ?? null,
      rule: ruleOf(recorder, task, chosen !== null),
    },
  });
  if (!chosen) return;
  recorder.record({
    type: 'reservation.offered.v1',
    data: {
      ...namesOf(task),
      reservationId: recorder.newId('reservation', task.taskId),
      agentId: chosen.agentId,
      decisionId,
      offeredAt: toInstant(at),
      expiresAt: toInstant(at + state.policy.offerTimeoutMs),
    },
  });
};
