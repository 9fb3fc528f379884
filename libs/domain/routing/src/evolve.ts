import type { RoutingEvent, RoutingEventOf } from './events.js';
import { toMillis, toMillisOrNull, type Millis } from './instants.js';
import type { Agent, Phase, Places, Policy, Queue, RoutingState, Task } from './state.js';

/** A private copy of a state that events are applied to in place: one copy per input instead of one per event. */
export type Draft = {
  position: number;
  readonly agents: Map<string, Agent>;
  readonly queues: Map<string, Queue>;
  readonly tasks: Map<string, Task>;
  readonly offers: Map<string, string>;
  policy: Policy;
};

export const draftOf = (state: RoutingState): Draft => ({
  position: state.position,
  agents: new Map(state.agents),
  queues: new Map(state.queues),
  tasks: new Map(state.tasks),
  offers: new Map(state.offers),
  policy: state.policy,
});

const noPlaces: Places = { offered: 0, assigned: 0, wrapping: 0 };

const changeAgent = (draft: Draft, agentId: string, change: (agent: Agent) => Partial<Agent>): void => {
  const agent = draft.agents.get(agentId);
  if (agent) draft.agents.set(agentId, { ...agent, ...change(agent) });
};

const count = (draft: Draft, phase: Phase | undefined, by: 1 | -1): void => {
  if (!phase || phase.name === 'waiting') return;
  changeAgent(draft, phase.agentId, ({ places }) => ({ places: { ...places, [phase.name]: places[phase.name] + by } }));
};

/** The only place where tasks change, so that the agents' places always follow from the tasks. */
const setTask = (draft: Draft, taskId: string, next: Task | null): void => {
  count(draft, draft.tasks.get(taskId)?.phase, -1);
  if (next) draft.tasks.set(taskId, next);
  else draft.tasks.delete(taskId);
  count(draft, next?.phase, 1);
};

const changeTask = (draft: Draft, taskId: string, change: (task: Task) => Partial<Task>): void => {
  const task = draft.tasks.get(taskId);
  if (task) setTask(draft, taskId, { ...task, ...change(task) });
};

const touch = (draft: Draft, agentId: string | null, at: Millis): void => {
  if (agentId !== null) changeAgent(draft, agentId, () => ({ idleSince: at }));
};

const waiting: Phase = { name: 'waiting' };

/** A queued task that only restates a moved window needs no new explanation of why it waits. */
const asksTheSame = (task: Task, queued: RoutingEventOf<'task.queued.v1'>['data']): boolean =>
  task.queueId === queued.queueId &&
  task.targetAgentId === queued.targetAgentId &&
  task.requiredSkills.join('\0') === queued.requiredSkills.join('\0');

const endOffer = (
  draft: Draft,
  data: { taskId: string; reservationId: string; agentId: string },
  refusedAt: Millis | null,
): void => {
  draft.offers.delete(data.reservationId);
  changeTask(draft, data.taskId, (task) => ({
    phase: waiting,
    explainedStep: null,
    refusals: refusedAt === null ? task.refusals : new Map(task.refusals).set(data.agentId, refusedAt),
  }));
};

/** Applies one event to a draft. Total over the catalogue: an event of an unknown task or agent changes nothing but the position. */
export const applyTo = (draft: Draft, event: RoutingEvent): void => {
  draft.position += 1;
  switch (event.type) {
    case 'agent.defined.v1': {
      const known = draft.agents.get(event.data.agentId);
      draft.agents.set(event.data.agentId, {
        presence: 'offline',
        idleSince: null,
        missed: 0,
        places: noPlaces,
        ...known,
        ...event.data,
      });
      return;
    }
    case 'agent.capacity.changed.v1':
      changeAgent(draft, event.data.agentId, () => ({ capacity: event.data.capacity }));
      return;
    case 'agent.presence.changed.v1': {
      const { agentId, presence, changedAt } = event.data;
      if (presence !== 'online') {
        changeAgent(draft, agentId, () => ({ presence }));
        return;
      }
      changeAgent(draft, agentId, () => ({ presence, idleSince: toMillis(changedAt), missed: 0 }));
      // Who signs in again may be asked again: an offer missed while away says nothing about now.
      for (const task of draft.tasks.values())
        if (task.refusals.has(agentId)) {
          const refusals = new Map(task.refusals);
          refusals.delete(agentId);
          setTask(draft, task.taskId, { ...task, refusals });
        }
      return;
    }
    case 'queue.defined.v1':
      draft.queues.set(event.data.queueId, event.data);
      return;
    case 'routing.policy.published.v1': {
      const { publishedAt: _, ...policy } = event.data;
      draft.policy = policy;
      return;
    }
    case 'task.queued.v1': {
      const known = draft.tasks.get(event.data.taskId);
      setTask(draft, event.data.taskId, {
        ...event.data,
        windowExpiresAt: toMillisOrNull(event.data.windowExpiresAt),
        queuedAt: toMillis(event.data.queuedAt),
        phase: known?.phase ?? waiting,
        refusals: known?.refusals ?? new Map<string, Millis>(),
        explainedStep: known && asksTheSame(known, event.data) ? known.explainedStep : null,
      });
      return;
    }
    case 'routing.decided.v1':
      if (event.data.chosenAgentId === null) changeTask(draft, event.data.taskId, () => ({ explainedStep: event.data.step }));
      return;
    case 'reservation.offered.v1': {
      const { taskId, reservationId, decisionId, agentId, offeredAt, expiresAt } = event.data;
      draft.offers.set(reservationId, taskId);
      changeTask(draft, taskId, () => ({
        phase: {
          name: 'offered',
          reservationId,
          decisionId,
          agentId,
          offeredAt: toMillis(offeredAt),
          expiresAt: toMillis(expiresAt),
        },
      }));
      return;
    }
    case 'reservation.accepted.v1':
      // The place stays taken by the offer until task.assigned, which follows at once.
      draft.offers.delete(event.data.reservationId);
      changeAgent(draft, event.data.agentId, () => ({ missed: 0 }));
      return;
    case 'reservation.declined.v1': {
      const at = toMillis(event.data.declinedAt);
      endOffer(draft, event.data, at);
      changeAgent(draft, event.data.agentId, () => ({ missed: 0, idleSince: at }));
      return;
    }
    case 'reservation.expired.v1': {
      const at = toMillis(event.data.expiredAt);
      endOffer(draft, event.data, at);
      changeAgent(draft, event.data.agentId, (agent) => ({ missed: agent.missed + 1, idleSince: at }));
      return;
    }
    case 'reservation.rescinded.v1':
      // Not the agent's doing: neither a refusal nor a new place in the order of the idle.
      endOffer(draft, event.data, null);
      return;
    case 'task.assigned.v1': {
      const { taskId, agentId, assignedAt } = event.data;
      changeTask(draft, taskId, () => ({ phase: { name: 'assigned', agentId, since: toMillis(assignedAt) } }));
      touch(draft, agentId, toMillis(assignedAt));
      return;
    }
    case 'task.transferred.v1': {
      const at = toMillis(event.data.transferredAt);
      changeTask(draft, event.data.taskId, () => ({
        phase: waiting,
        refusals: new Map([[event.data.fromAgentId, at]]),
        explainedStep: null,
      }));
      touch(draft, event.data.fromAgentId, at);
      return;
    }
    case 'task.wrapping.v1': {
      const { taskId, agentId, wrapUpUntil } = event.data;
      changeTask(draft, taskId, (task) => ({
        phase: {
          name: 'wrapping',
          agentId,
          since: task.phase.name === 'assigned' ? task.phase.since : task.queuedAt,
          until: toMillis(wrapUpUntil),
        },
      }));
      return;
    }
    case 'task.released.v1': {
      const at = toMillis(event.data.releasedAt);
      changeTask(draft, event.data.taskId, () => ({ phase: waiting, refusals: new Map(), explainedStep: null }));
      touch(draft, event.data.agentId, at);
      return;
    }
    case 'task.completed.v1':
      setTask(draft, event.data.taskId, null);
      touch(draft, event.data.agentId, toMillis(event.data.completedAt));
      return;
    default:
      event satisfies never;
  }
};

/** The state after these events. */
export const evolve = (state: RoutingState, events: readonly RoutingEvent[]): RoutingState => {
  const draft = draftOf(state);
  for (const event of events) applyTo(draft, event);
  return draft;
};
