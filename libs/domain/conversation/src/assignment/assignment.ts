import { unreachable, type DomainEvent } from '../event.js';

/** What routing tells about one conversation. */
export type TaskEvent = DomainEvent<
  | 'task.queued.v1'
  | 'reservation.offered.v1'
  | 'reservation.accepted.v1'
  | 'reservation.declined.v1'
  | 'reservation.expired.v1'
  | 'reservation.rescinded.v1'
  | 'task.assigned.v1'
  | 'task.transferred.v1'
  | 'task.wrapping.v1'
  | 'task.released.v1'
  | 'task.completed.v1'
>;

/** Who works on a conversation, and who may look at it while it waits. Routing decides it; here it is a copy, as of `seen`. */
export type Assignment = {
  readonly queueId: string | null;
  readonly agentId: string | null;
  /** Who had it last; still finds it among the closed ones. */
  readonly lastAgentId: string | null;
  /** To whom it is being offered. */
  readonly offeredAgentId: string | null;
  readonly waitingSince: string | null;
  /** Goes up whenever the agent changes; a precondition of replies. */
  readonly version: number;
  /** Position in the task's stream of the last event that is in here: what comes twice changes nothing. */
  readonly seen: number;
};
export const unassigned: Assignment = {
  queueId: null,
  agentId: null,
  lastAgentId: null,
  offeredAgentId: null,
  waitingSince: null,
  version: 0,
  seen: 0,
};

const change = (event: TaskEvent): Partial<Assignment> => {
  switch (event.type) {
    case 'task.queued.v1':
      return { queueId: event.data.queueId, agentId: null, offeredAgentId: null, waitingSince: event.data.queuedAt };
    case 'reservation.offered.v1':
      return { offeredAgentId: event.data.agentId };
    case 'reservation.declined.v1':
    case 'reservation.expired.v1':
    case 'reservation.rescinded.v1':
      return { offeredAgentId: null };
    case 'task.assigned.v1':
      return {
        queueId: event.data.queueId,
        agentId: event.data.agentId,
        lastAgentId: event.data.agentId,
        offeredAgentId: null,
        waitingSince: null,
      };
    case 'task.transferred.v1':
    case 'task.released.v1':
    case 'task.completed.v1':
      return { agentId: null, offeredAgentId: null, waitingSince: null };
    // An accepted offer is followed by the assignment; an agent who wraps up keeps the conversation.
    case 'reservation.accepted.v1':
    case 'task.wrapping.v1':
      return {};
    default:
      return unreachable(event);
  }
};

/** Folds routing's events of one task; `position` is the event's version in its stream. */
export const evolveAssignment = (state: Assignment, event: TaskEvent, position: number): Assignment => {
  if (position <= state.seen) return state;
  const next = { ...state, ...change(event), seen: position };
  return next.agentId === state.agentId ? next : { ...next, version: state.version + 1 };
};
