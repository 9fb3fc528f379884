import type { Board } from '@centralita/contracts';
import {
  closesSoon,
  isUnserved,
  loadOf,
  toInstant,
  toInstantOrNull,
  whyWaiting,
  type Millis,
  type RoutingState,
  type Task,
} from '@centralita/domain-routing';

type QueueLine = Board['queues'][number];

/** The board lists at most this many waiting conversations, the longest waiting first; the counts are of all. */
export const MAX_WAITING = 500;

type Waiting = { readonly task: Task; readonly why: string; readonly unserved: boolean };

const lineOf = (
  queueId: string | null,
  name: string,
  waiting: readonly Waiting[],
  closingWindowMs: number,
  at: Millis,
): QueueLine => {
  const own = waiting.filter(({ task }) => task.queueId === queueId);
  return {
    queueId,
    name,
    waiting: own.length,
    longestWaitSince: own[0] ? toInstant(own[0].task.queuedAt) : null,
    closingSoon: own.filter(({ task }) => closesSoon(task, closingWindowMs, at)).length,
    unserved: own.filter(({ unserved }) => unserved).length,
  };
};

/**
 * What supervisors see. An offered conversation still waits for its customer. `unserved`: nobody who is online could take it, even
 * with empty hands. What waits without a queue stands in a line of its own, with a null id and no name, when there is any; so do
 * queues that a transfer named and nobody defined.
 */
export const boardOf = (state: RoutingState, at: Millis): Board => {
  const { closingWindowMs } = state.policy;
  const waiting = [...state.tasks.values()]
    .sort((a, b) => a.queuedAt - b.queuedAt || (a.taskId < b.taskId ? -1 : 1))
    .map((task): Waiting => {
      if (task.phase.name === 'offered') return { task, why: 'offered', unserved: false };
      const why = whyWaiting(state, task, at);
      return { task, why, unserved: isUnserved(why) };
    });
  const undefinedQueues = new Set(waiting.map(({ task }) => task.queueId).filter((id) => id === null || !state.queues.has(id)));
  return {
    at: toInstant(at),
    queues: [
      ...[...state.queues.values()].map((queue) => lineOf(queue.queueId, queue.name, waiting, closingWindowMs, at)),
      ...[...undefinedQueues].map((queueId) => lineOf(queueId, '', waiting, closingWindowMs, at)),
    ],
    agents: [...state.agents.values()].map((agent) => ({
      agentId: agent.agentId,
      label: agent.label,
      presence: agent.presence,
      load: loadOf(agent),
      capacity: agent.capacity,
      offers: agent.places.offered,
    })),
    waiting: waiting.slice(0, MAX_WAITING).map(({ task, why }) => ({
      taskId: task.taskId,
      conversationId: task.conversationId,
      queueId: task.queueId,
      queuedAt: toInstant(task.queuedAt),
      language: task.language,
      windowExpiresAt: toInstantOrNull(task.windowExpiresAt),
      whyWaiting: why,
    })),
  };
};
