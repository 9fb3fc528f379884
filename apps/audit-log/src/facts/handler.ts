import { isType, typesOf, type CloudEvent } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { Controller } from '@nestjs/common';
import { commitmentsOf } from './commitments.js';
import {
  endAssignments,
  insertAgents,
  insertAssignments,
  insertQueues,
  type Assigned,
  type Ended,
  type Queued,
} from './store.js';

const handles = [
  'agent.defined.v1',
  'task.queued.v1',
  'task.assigned.v1',
  'task.transferred.v1',
  'task.released.v1',
  'task.completed.v1',
] as const;
const ignores = typesOf('routing.events.v1').filter((type) => !(handles as readonly string[]).includes(type));

/** Types of the topic that no fact follows from. */
export const factsIgnored: ReadonlySet<string> = new Set(ignores);

const endedBy = (event: CloudEvent): Ended | null => {
  const { id: eventId } = event;
  if (isType(event, 'task.transferred.v1'))
    return { conversationId: event.data.conversationId, agentId: event.data.fromAgentId, at: event.data.transferredAt, eventId };
  if (isType(event, 'task.released.v1'))
    return { conversationId: event.data.conversationId, agentId: event.data.agentId, at: event.data.releasedAt, eventId };
  if (isType(event, 'task.completed.v1') && event.data.agentId !== null)
    return { conversationId: event.data.conversationId, agentId: event.data.agentId, at: event.data.completedAt, eventId };
  return null;
};

const queuedBy = (event: CloudEvent): (Omit<Queued, 'subject'> & { readonly subjectId: string }) | null => {
  const { id: eventId } = event;
  if (isType(event, 'task.queued.v1')) return { ...event.data, at: event.data.queuedAt, eventId };
  if (isType(event, 'task.transferred.v1') && event.data.toQueueId !== null)
    return { ...event.data, queueId: event.data.toQueueId, at: event.data.transferredAt, eventId };
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
    const commitmentOf = (subjectId: string): string | null => commitments.get(subjectId) ?? null;
    const assigned: Assigned[] = [];
    const endedBefore = new Map<string, Ended>();
    const open = new Map<string, Assigned>();
    for (const { event } of batch.events) {
      const ended = endedBy(event);
      if (ended) {
        const key = `${ended.conversationId}/${ended.agentId}`;
        const own = open.get(key);
        if (own) own.ended = ended;
        else if (!endedBefore.has(key)) endedBefore.set(key, ended);
        open.delete(key);
      }
      if (isType(event, 'task.assigned.v1')) {
        const { conversationId, agentId, subjectId, assignedAt } = event.data;
        const one = { conversationId, agentId, subject: commitmentOf(subjectId), at: assignedAt, eventId: event.id, ended: null };
        assigned.push(one);
        open.set(`${conversationId}/${agentId}`, one);
      }
    }
    // First what ended of earlier batches, or it would end what this one begins.
    await endAssignments(tx, [...endedBefore.values()]);
    await insertAssignments(tx, assigned);
    await insertQueues(
      tx,
      batch.events.flatMap(({ event }) => queuedBy(event) ?? []).map((one) => ({ ...one, subject: commitmentOf(one.subjectId) })),
    );
    await insertAgents(
      tx,
      batch.events.flatMap(({ event }) => (isType(event, 'agent.defined.v1') ? [event] : [])),
    );
  }

  #commitments({ tenantId, events }: EventBatch): Promise<ReadonlyMap<string, string>> {
    return commitmentsOf(
      this.keyring,
      tenantId,
      events.flatMap(({ event }) =>
        isType(event, 'task.assigned.v1') || isType(event, 'task.queued.v1') || isType(event, 'task.transferred.v1')
          ? [event.data.subjectId]
          : [],
      ),
    );
  }
}
