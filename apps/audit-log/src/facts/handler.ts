import { isType, typesOf, type CloudEvent } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { Controller } from '@nestjs/common';

const handles = [
  'agent.defined.v1',
  'task.queued.v1',
  'task.assigned.v1',
  'task.transferred.v1',
  'task.released.v1',
  'task.completed.v1',
] as const;
const ignores = typesOf('routing.events.v1').filter((type) => !(handles as readonly string[]).includes(type));

type Ended = { conversationId: string; agentId: string; at: string };

const endedBy = (event: CloudEvent): Ended | null => {
  if (isType(event, 'task.transferred.v1'))
    return { conversationId: event.data.conversationId, agentId: event.data.fromAgentId, at: event.data.transferredAt };
  if (isType(event, 'task.released.v1'))
    return { conversationId: event.data.conversationId, agentId: event.data.agentId, at: event.data.releasedAt };
  if (isType(event, 'task.completed.v1') && event.data.agentId !== null)
    return { conversationId: event.data.conversationId, agentId: event.data.agentId, at: event.data.completedAt };
  return null;
};

const queuedBy = (
  event: CloudEvent,
): { conversationId: string; subjectId: string; queueId: string | null; at: string } | null => {
  if (isType(event, 'task.queued.v1')) return { ...event.data, at: event.data.queuedAt };
  if (isType(event, 'task.transferred.v1') && event.data.toQueueId !== null)
    return { ...event.data, queueId: event.data.toQueueId, at: event.data.transferredAt };
  return null;
};

/**
 * Keeps who was assigned to whom and which queue owned what, as routing decided it: what a stated reason is checked against. A fact
 * holds the customer's commitment, never the subject id.
 */
@Controller()
export class FactsHandler {
  constructor(private readonly keyring: Keyring) {}

  @OnEvents('routing.events.v1', { handles, ignores })
  async onDecisions(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    const commitments = await this.#commitments(batch);
    for (const { event } of batch.events) {
      const ended = endedBy(event);
      if (ended)
        await tx.execute(
          `update assignment set until_at = $4, ended_event = $5
           where tenant_id = $1 and conversation_id = $2 and agent_id = $3 and until_at is null`,
          [tx.tenantId, ended.conversationId, ended.agentId, ended.at, event.id],
        );
      const queued = queuedBy(event);
      if (queued)
        await tx.execute(
          `insert into task_queue (tenant_id, conversation_id, event_id, queue_id, subject, since) values ($1, $2, $3, $4, $5, $6)`,
          [tx.tenantId, queued.conversationId, event.id, queued.queueId, commitments.get(queued.subjectId) ?? null, queued.at],
        );
      if (isType(event, 'task.assigned.v1')) {
        const { conversationId, agentId, subjectId, assignedAt } = event.data;
        await tx.execute(
          `insert into assignment (tenant_id, conversation_id, assigned_event, agent_id, subject, from_at) values ($1, $2, $3, $4, $5, $6)`,
          [tx.tenantId, conversationId, event.id, agentId, commitments.get(subjectId) ?? null, assignedAt],
        );
      }
      if (isType(event, 'agent.defined.v1'))
        await tx.execute(
          `insert into agent_queues (tenant_id, agent_id, event_id, queue_ids, since) values ($1, $2, $3, $4::uuid[], $5)`,
          [tx.tenantId, event.data.agentId, event.id, event.data.queueIds, event.time],
        );
    }
  }

  /** One question for the whole batch. An erased customer has no commitment any more, and needs none: nobody may read them. */
  async #commitments({ tenantId, events }: EventBatch): Promise<Map<string, string>> {
    const subjects = [
      ...new Set(
        events.flatMap(({ event }) =>
          isType(event, 'task.assigned.v1') || isType(event, 'task.queued.v1') || isType(event, 'task.transferred.v1')
            ? [event.data.subjectId]
            : [],
        ),
      ),
    ];
    if (subjects.length === 0) return new Map();
    const keys = await this.keyring.sealer(tenantId, subjects);
    return new Map(
      subjects.filter((subject) => keys.state(subject) !== 'destroyed').map((subject) => [subject, keys.commitment(subject)]),
    );
  }
}
