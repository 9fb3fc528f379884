import type { RoutingEventOf } from './events.js';
import { toInstantOrNull, type Millis } from './instants.js';
import { hasSkills, speaks } from './skills.js';
import { hasRoom, loadOf, queueOf, type Agent, type RoutingState, type Task } from './state.js';

export type Candidate = RoutingEventOf<'routing.decided.v1'>['data']['candidates'][number];
export type CandidateReason = Candidate['reason'];

/** What the task asks of an agent now. Step 1 asks for the customer's language where the queue does; step 2 no longer. */
export type Requirement = { readonly step: number; readonly language: string | null; readonly relaxesAt: Millis | null };

export const requirementOf = (state: RoutingState, task: Task, at: Millis): Requirement => {
  const queue = queueOf(state, task.queueId);
  if (!queue?.languageSkill || task.language === null) return { step: 1, language: null, relaxesAt: null };
  if (queue.relaxLanguageAfterMs === null) return { step: 1, language: task.language, relaxesAt: null };
  const relaxesAt = task.queuedAt + queue.relaxLanguageAfterMs;
  return at < relaxesAt ? { step: 1, language: task.language, relaxesAt } : { step: 2, language: null, relaxesAt: null };
};

/**
 * The colleague that a transfer names, as long as that colleague is there and has not refused: then nobody else is asked. A target
 * who is offline, away, unknown or has refused leaves the task to its queue; coming back online makes them the target again.
 */
export const activeTarget = (state: RoutingState, task: Task): Agent | null => {
  const target = task.targetAgentId === null ? undefined : state.agents.get(task.targetAgentId);
  return target?.presence === 'online' && !task.refusals.has(target.agentId) ? target : null;
};

/** Why this agent could not serve the task even with room; null when able. */
const inability = (task: Task, requirement: Requirement, agent: Agent): CandidateReason | null => {
  if (task.queueId === null || !agent.queueIds.includes(task.queueId)) return 'not_in_queue';
  if (!hasSkills(agent.skills, task.requiredSkills)) return 'missing_skill';
  if (requirement.language !== null && !speaks(agent.skills, requirement.language)) return 'missing_skill';
  return agent.presence === 'online' ? null : 'not_online';
};

/** What holds the last place of an agent without room. */
const noRoom = (agent: Agent): CandidateReason => {
  if (agent.places.assigned >= agent.capacity) return 'at_capacity';
  if (agent.places.assigned + agent.places.offered >= agent.capacity) return 'offer_open';
  return 'wrapping';
};

/** How one task judges agents at one moment. Null = eligible. */
export type Judge = (agent: Agent) => CandidateReason | null;

/**
 * Who refused (declined, missed, transferred away) is passed over while any other able agent is online, busy or not. When all
 * have refused, they are asked again, each one offer timeout after the refusal: sooner would ring the same person without end.
 */
export const judgeOf = (state: RoutingState, task: Task, requirement: Requirement, at: Millis): Judge => {
  const target = activeTarget(state, task);
  if (target) {
    return (agent) => {
      if (agent.agentId !== target.agentId) return 'not_the_target';
      return hasRoom(agent) ? null : noRoom(agent);
    };
  }
  let othersLeft = false;
  if (task.refusals.size > 0)
    for (const agent of state.agents.values())
      if (!task.refusals.has(agent.agentId) && inability(task, requirement, agent) === null) {
        othersLeft = true;
        break;
      }
  return (agent) => {
    const unable = inability(task, requirement, agent);
    if (unable) return unable;
    const refusedAt = task.refusals.get(agent.agentId);
    if (refusedAt !== undefined && (othersLeft || at < refusedAt + state.policy.offerTimeoutMs)) return 'declined_before';
    return hasRoom(agent) ? null : noRoom(agent);
  };
};

/**
 * Order among the eligible: who has least in hand, then who has been idle longest, then the smaller id. Among agents with empty
 * hands that is the longest idle; an agent with work never goes before one without. All of it can be read off the decision.
 */
export const byLongestIdle = (a: Agent, b: Agent): number =>
  loadOf(a) - loadOf(b) || Number(a.idleSince) - Number(b.idleSince) || (a.agentId < b.agentId ? -1 : 1);

/** A decision names at most this many; beyond, those nearest to being eligible are kept. */
const MAX_CANDIDATES = 1000;

/** Every agent of the domain with the reason, best first: the eligible in their order, then the others by id. */
export const candidatesOf = (state: RoutingState, judge: Judge): { candidates: Candidate[]; chosen: Agent | null } => {
  const judged = [...state.agents.values()].map((agent) => ({ agent, reason: judge(agent) }));
  judged.sort((a, b) => {
    if ((a.reason === null) !== (b.reason === null)) return a.reason === null ? -1 : 1;
    if (a.reason === null) return byLongestIdle(a.agent, b.agent);
    if ((a.reason === 'not_in_queue') !== (b.reason === 'not_in_queue')) return a.reason === 'not_in_queue' ? 1 : -1;
    return a.agent.agentId < b.agent.agentId ? -1 : 1;
  });
  const chosen = judged[0]?.reason === null ? judged[0].agent : null;
  const candidates = judged.slice(0, MAX_CANDIDATES).map(({ agent, reason }): Candidate => ({
    agentId: agent.agentId,
    eligible: reason === null,
    reason: reason ?? (agent === chosen ? 'chosen' : 'longer_idle_won'),
    load: loadOf(agent),
    capacity: agent.capacity,
    idleSince: toInstantOrNull(agent.idleSince),
  }));
  return { candidates, chosen };
};
