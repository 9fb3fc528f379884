import type { CloudEvent, TypedEvent } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';

export type Ended = {
  readonly conversationId: string;
  readonly agentId: string;
  readonly at: string;
  readonly eventId: string;
};
export type Assigned = Ended & { readonly subject: string | null; ended: Ended | null };
export type Queued = {
  readonly conversationId: string;
  readonly queueId: string | null;
  readonly subject: string | null;
  readonly at: string;
  readonly eventId: string;
};

/** Ends what is still open of each conversation and agent. */
export const endAssignments = async (tx: Tx, ended: readonly Ended[]): Promise<void> => {
  if (ended.length === 0) return;
  await tx.execute(
    `update assignment a set until_at = u.at, ended_event = u.event_id
     from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[]) as u(conversation_id, agent_id, at, event_id)
     where a.tenant_id = $1 and a.conversation_id = u.conversation_id and a.agent_id = u.agent_id and a.until_at is null`,
    [
      tx.tenantId,
      ended.map((one) => one.conversationId),
      ended.map((one) => one.agentId),
      ended.map((one) => one.at),
      ended.map((one) => one.eventId),
    ],
  );
};

export const insertAssignments = async (tx: Tx, assigned: readonly Assigned[]): Promise<void> => {
  if (assigned.length === 0) return;
  await tx.execute(
    `insert into assignment (tenant_id, conversation_id, assigned_event, agent_id, subject, from_at, until_at, ended_event)
     select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::uuid[])`,
    [
      tx.tenantId,
      assigned.map((one) => one.conversationId),
      assigned.map((one) => one.eventId),
      assigned.map((one) => one.agentId),
      assigned.map((one) => one.subject),
      assigned.map((one) => one.at),
      assigned.map((one) => one.ended?.at ?? null),
      assigned.map((one) => one.ended?.eventId ?? null),
    ],
  );
};

export const insertQueues = async (tx: Tx, queued: readonly Queued[]): Promise<void> => {
  if (queued.length === 0) return;
  await tx.execute(
    `insert into task_queue (tenant_id, conversation_id, event_id, queue_id, subject, since)
     select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[])`,
    [
      tx.tenantId,
      queued.map((one) => one.conversationId),
      queued.map((one) => one.eventId),
      queued.map((one) => one.queueId),
      queued.map((one) => one.subject),
      queued.map((one) => one.at),
    ],
  );
};

/** An agent's queues are a list each, so these rows go as JSON: arrays of SQL have no ragged edge. */
export const insertAgents = async (tx: Tx, defined: readonly (CloudEvent & TypedEvent<'agent.defined.v1'>)[]): Promise<void> => {
  if (defined.length === 0) return;
  await tx.execute(
    `insert into agent_queues (tenant_id, agent_id, event_id, queue_ids, since)
     select $1, agent_id, event_id, queue_ids, since
     from jsonb_to_recordset($2::jsonb) as u(agent_id uuid, event_id uuid, queue_ids uuid[], since timestamptz)`,
    [
      tx.tenantId,
      JSON.stringify(
        defined.map(({ id, time, data }) => ({ agent_id: data.agentId, event_id: id, queue_ids: data.queueIds, since: time })),
      ),
    ],
  );
};
