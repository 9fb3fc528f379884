import type { RoutingEventOf } from './events.js';
import { toInstant, toInstantOrNull } from './instants.js';
import type { RoutingInputOf } from './inputs.js';
import { namesOf, type Handler, type Recorder } from './recorder.js';
import { chooseQueue } from './skills.js';
import { queueOf, type Phase, type Queue, type Task } from './state.js';

/** A window that moved by less is not restated: an album of ten messages would queue its conversation ten times. */
export const WINDOW_RESOLUTION_MS = 60_000;

type Queued = RoutingEventOf<'task.queued.v1'>['data'];

const sameItems = (a: readonly string[], b: readonly string[]): boolean => a.join('\0') === b.join('\0');

const restated = (task: Task): Queued => ({
  ...namesOf(task),
  queueId: task.queueId,
  requiredSkills: [...task.requiredSkills],
  language: task.language,
  priority: task.priority,
  windowExpiresAt: toInstantOrNull(task.windowExpiresAt),
  targetAgentId: task.targetAgentId,
  queuedAt: toInstant(task.queuedAt),
  cause: task.cause,
});

const asked = (queue: Queue | null | undefined): Pick<Queued, 'requiredSkills' | 'priority'> => ({
  requiredSkills: [...(queue?.requiredSkills ?? [])],
  priority: queue?.priority ?? 0,
});

const queueUp = (
  recorder: Recorder,
  input: RoutingInputOf<'conversation.opened' | 'conversation.reopened'>,
  cause: Queued['cause'],
): void => {
  const queue = chooseQueue(recorder.state.queues.values(), input.phoneNumberId, input.language);
  recorder.record({
    type: 'task.queued.v1',
    data: {
      taskId: input.conversationId,
      conversationId: input.conversationId,
      subjectId: input.subjectId,
      queueId: queue?.queueId ?? null,
      ...asked(queue),
      language: input.language,
      windowExpiresAt: toInstantOrNull(input.windowExpiresAt),
      targetAgentId: null,
      queuedAt: toInstant(recorder.receivedAt),
      cause,
    },
  });
};

export const opened: Handler<'conversation.opened'> = (recorder, input) => {
  if (!recorder.state.tasks.has(input.conversationId)) queueUp(recorder, input, 'opened');
  return undefined;
};

/** The customer wrote again. A wrap-up that still runs is cut short: the place is free, and the task waits anew, at its end. */
export const reopened: Handler<'conversation.reopened'> = (recorder, input) => {
  const task = recorder.state.tasks.get(input.conversationId);
  if (task && task.phase.name !== 'wrapping') return undefined;
  if (task?.phase.name === 'wrapping')
    recorder.record({
      type: 'task.released.v1',
      data: { ...namesOf(task), agentId: task.phase.agentId, releasedAt: toInstant(recorder.at) },
    });
  queueUp(recorder, input, 'reopened');
  return undefined;
};

const complete = (recorder: Recorder, task: Task, agentId: string | null, at = recorder.at): void =>
  recorder.record({ type: 'task.completed.v1', data: { ...namesOf(task), agentId, completedAt: toInstant(at) } });

/** Work in hand goes into wrap-up; what nobody had yet is complete at once. */
export const closed: Handler<'conversation.closed'> = (recorder, input) => {
  const task = recorder.state.tasks.get(input.conversationId);
  switch (task?.phase.name) {
    case undefined:
    case 'wrapping':
      return undefined;
    case 'waiting':
      complete(recorder, task, null);
      return undefined;
    case 'offered':
      rescind(recorder, task, task.phase, 'task_ended');
      complete(recorder, task, null);
      return undefined;
    case 'assigned': {
      const { agentId } = task.phase;
      if (recorder.state.policy.wrapUpMs === 0) complete(recorder, task, agentId);
      else
        recorder.record({
          type: 'task.wrapping.v1',
          data: { ...namesOf(task), agentId, wrapUpUntil: toInstant(recorder.receivedAt + recorder.state.policy.wrapUpMs) },
        });
      return undefined;
    }
  }
};

/**
 * Only the agent who has the conversation can hand it over; a request that comes too late changes nothing. Without a queue the
 * task stays in its own, which serves it when the colleague is not there (see `activeTarget`). A transfer is a new turn: the age
 * begins again.
 */
export const transferRequested: Handler<'transfer.requested'> = (recorder, input) => {
  const task = recorder.state.tasks.get(input.conversationId);
  if (task?.phase.name !== 'assigned' || task.phase.agentId !== input.agentId)
    return { code: 'NOT_ASSIGNED', reason: 'the conversation is not with the agent who hands it over' };
  const queueId = input.toQueueId ?? task.queueId;
  recorder.record({
    type: 'task.transferred.v1',
    data: {
      ...namesOf(task),
      transferId: input.transferId,
      fromAgentId: input.agentId,
      toQueueId: input.toQueueId,
      toAgentId: input.toAgentId,
      transferredAt: toInstant(recorder.at),
    },
  });
  recorder.record({
    type: 'task.queued.v1',
    data: {
      ...restated(task),
      queueId,
      ...asked(queueOf(recorder.state, queueId)),
      windowExpiresAt: toInstantOrNull(input.windowExpiresAt ?? task.windowExpiresAt),
      targetAgentId: input.toAgentId,
      queuedAt: toInstant(recorder.receivedAt),
      cause: 'transferred',
    },
  });
  return undefined;
};

/**
 * The window only decides about what waits. During an offer it is left alone (a task that is queued again looks as if the offer were
 * gone), and with an agent it does not matter: a transfer brings the window of its time along.
 */
export const windowMoved: Handler<'window.moved'> = (recorder, input) => {
  const task = recorder.state.tasks.get(input.conversationId);
  if (task?.phase.name !== 'waiting') return undefined;
  if (task.windowExpiresAt !== null && Math.abs(input.windowExpiresAt - task.windowExpiresAt) < WINDOW_RESOLUTION_MS)
    return undefined;
  recorder.record({ type: 'task.queued.v1', data: { ...restated(task), windowExpiresAt: toInstant(input.windowExpiresAt) } });
  return undefined;
};

/** Ends a wrap-up early. One that is over already ended as asked. */
export const wrapUpEnded: Handler<'wrap-up.ended'> = (recorder, input) => {
  const task = recorder.state.tasks.get(input.taskId);
  if (!task) return undefined;
  if (task.phase.name === 'waiting' || task.phase.name === 'offered' || task.phase.agentId !== input.agentId)
    return { code: 'NOT_FOUND', reason: 'no such task of this agent' };
  if (task.phase.name === 'assigned') return { code: 'VALIDATION_FAILED', reason: 'the conversation is not closed yet' };
  complete(recorder, task, input.agentId);
  return undefined;
};

/**
 * A definition also says anew what its waiting tasks ask for, and takes in those that waited without a queue. What is already
 * with an agent stays as it is.
 */
export const queueDefined: Handler<'queue.defined'> = (recorder, input) => {
  recorder.record({ type: 'queue.defined.v1', data: input.queue });
  for (const task of [...recorder.state.tasks.values()]) {
    if (task.phase.name !== 'waiting' && task.phase.name !== 'offered') continue;
    const phoneNumberId = input.unserved[task.taskId];
    const queue =
      task.queueId === null && phoneNumberId !== undefined
        ? chooseQueue(recorder.state.queues.values(), phoneNumberId, task.language)
        : queueOf(recorder.state, task.queueId);
    if (!queue || (task.queueId !== null && queue.queueId !== input.queue.queueId)) continue;
    const asks = asked(queue);
    if (task.queueId !== queue.queueId || task.priority !== asks.priority || !sameItems(task.requiredSkills, asks.requiredSkills))
      recorder.record({ type: 'task.queued.v1', data: { ...restated(task), queueId: queue.queueId, ...asks } });
  }
  return undefined;
};

/** Takes an open offer back. */
export const rescind = (
  recorder: Recorder,
  task: Task,
  { reservationId, agentId }: Extract<Phase, { name: 'offered' }>,
  cause: RoutingEventOf<'reservation.rescinded.v1'>['data']['cause'],
): void =>
  recorder.record({
    type: 'reservation.rescinded.v1',
    data: { ...namesOf(task), reservationId, agentId, rescindedAt: toInstant(recorder.at), cause },
  });

/** Wrap-ups whose time is over, in the order in which they ended. */
export const endWrapUps = (recorder: Recorder): void => {
  const over: { task: Task; agentId: string; until: number }[] = [];
  for (const task of recorder.state.tasks.values())
    if (task.phase.name === 'wrapping' && task.phase.until <= recorder.receivedAt)
      over.push({ task, agentId: task.phase.agentId, until: task.phase.until });
  over.sort((a, b) => a.until - b.until || (a.task.taskId < b.task.taskId ? -1 : 1));
  for (const { task, agentId, until } of over) complete(recorder, task, agentId, until);
};
