import { isType, PlatformError, type CloudEvent } from '@centralita/contracts';
import { evolveAssignment, unassigned, type Assignment, type TaskEvent } from '@centralita/domain-conversation';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import { inOneTrip, type Part, type Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { assignmentRows, readAssignments } from '../record/assignments.js';
import { lockSubjects } from '../record/lock.js';
import { addRows, replaceRows } from '../record/rows.js';
import { eventLine } from '../thread/projection.js';

const TASK_TYPES = [
  'task.queued.v1',
  'reservation.offered.v1',
  'reservation.accepted.v1',
  'reservation.declined.v1',
  'reservation.expired.v1',
  'reservation.rescinded.v1',
  'task.assigned.v1',
  'task.transferred.v1',
  'task.wrapping.v1',
  'task.released.v1',
  'task.completed.v1',
] as const satisfies readonly TaskEvent['type'][];
const taskTypes: ReadonlySet<string> = new Set(TASK_TYPES);

type Task = { readonly id: string; readonly subjectId: string; readonly position: number; readonly event: TaskEvent };

const taskOf = (event: CloudEvent): Task | null => {
  if (!taskTypes.has(event.type)) return null;
  if (event.streamversion === undefined)
    throw new PlatformError('RECORD_INVALID', 'a routing event has no stream version', { eventId: event.id });
  const task = { type: event.type, data: event.data } as TaskEvent;
  return { id: event.id, subjectId: task.data.subjectId, position: Number(event.streamversion), event: task };
};

/** Routing tells its times in milliseconds by a clock of ours, and its lines must not depend on when they are heard of. */
const moment = (at: string): { at: string; placedAt: string } => ({ at, placedAt: at });

const lineOf = ({ id, position, event }: Task): Parameters<typeof eventLine>[0] | null => {
  const base = { conversationId: event.data.conversationId, id, position };
  switch (event.type) {
    case 'task.assigned.v1':
      return { ...base, ...moment(event.data.assignedAt), type: 'assigned', agentId: event.data.agentId };
    case 'task.transferred.v1':
      return { ...base, ...moment(event.data.transferredAt), type: 'transferred', agentId: event.data.fromAgentId };
    default:
      return null;
  }
};

/** Keeps a copy of what routing decided: who works on what, who may look at what waits. Routing is the truth; nothing is decided here. */
@Controller()
export class FollowRouting {
  @OnEvents('routing.events.v1', {
    handles: [...TASK_TYPES, 'agent.defined.v1', 'queue.defined.v1'],
    ignores: ['routing.decided.v1', 'agent.presence.changed.v1', 'agent.capacity.changed.v1', 'routing.policy.published.v1'],
  })
  async handle(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    const events = batch.events.map(({ event }) => event);
    const agents = new Map(
      events.flatMap((event) => (isType(event, 'agent.defined.v1') ? [[event.data.agentId, event.data] as const] : [])),
    );
    const queueIds = new Set(events.flatMap((event) => (isType(event, 'queue.defined.v1') ? [event.data.queueId] : [])));
    inOneTrip(tx, [
      ...(await this.#tasks(
        tx,
        events.flatMap((event) => taskOf(event) ?? []),
      )),
      ...replaceRows(
        'agent',
        ['agent_id'],
        [...agents.values()].map(({ agentId, queueIds: own }) => ({ agent_id: agentId, queue_ids: own })),
      ),
      ...addRows(
        'queue',
        [...queueIds].map((queue_id) => ({ queue_id })),
      ),
    ]);
  }

  async #tasks(tx: Tx, tasks: readonly Task[]): Promise<Part[]> {
    if (tasks.length === 0) return [];
    await lockSubjects(
      tx,
      tasks.map(({ subjectId }) => subjectId),
    );
    const assignments: Map<string, Assignment> = await readAssignments(
      tx,
      tasks.map(({ event }) => event.data.conversationId),
    );
    for (const { event, position } of tasks) {
      const { conversationId } = event.data;
      assignments.set(conversationId, evolveAssignment(assignments.get(conversationId) ?? unassigned, event, position));
    }
    return [
      ...assignmentRows(assignments),
      ...addRows(
        'thread_item',
        tasks.flatMap((task) => {
          const line = lineOf(task);
          return line ? [eventLine(line)] : [];
        }),
      ),
    ];
  }
}
