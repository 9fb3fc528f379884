import { Uuid, type AccessRecord } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import { Facts, type Participation } from './facts.js';
import { isVerifiable, namesConversation } from './reason.js';

type AssignmentRow = {
  conversation_id: string;
  agent_id: string;
  subject: string | null;
  from_at: Date;
  until_at: Date | null;
  assigned_event: string;
  ended_event: string | null;
};
type QueueRow = { conversation_id: string; subject: string | null; queue_id: string | null; since: Date; event_id: string };
type AgentRow = { agent_id: string; queue_ids: string[]; since: Date; event_id: string };

/** All facts that may bear on these records, in a few questions. `parked`: customers of whom some decisions wait for an operator. */
export const loadFacts = async (tx: Tx, records: readonly AccessRecord[], parked: ReadonlySet<string>): Promise<Facts> => {
  const checked = records.filter(isVerifiable);
  if (checked.length === 0) return new Facts({ assignments: [], queues: [], agents: [] });
  const conversations = checked
    .filter((record) => namesConversation(record) && Uuid.safeParse(record.resource.id).success)
    .map(({ resource }) => resource.id);
  const subjects = [...new Set(checked.filter((record) => !namesConversation(record)).flatMap((record) => record.subjects))];
  const participations = await loadParticipations(tx, subjects);
  const parameters = [tx.tenantId, conversations, [...new Set([...subjects, ...participations.map(({ owner }) => owner)])]];
  // Two looks by index instead of one with OR, for which the planner reads the table.
  const byTarget = (columns: string, table: string): string =>
    `select ${columns} from ${table} where tenant_id = $1 and conversation_id = any ($2::uuid[])
     union select ${columns} from ${table} where tenant_id = $1 and subject = any ($3::text[])`;
  const assignments = await tx.query<AssignmentRow>(
    `${byTarget('conversation_id, agent_id, subject, from_at, until_at, assigned_event, ended_event', 'assignment')}
     order by from_at, assigned_event`,
    parameters,
  );
  const queues = await tx.query<QueueRow>(
    `${byTarget('conversation_id, subject, queue_id, since, event_id', 'task_queue')} order by since, event_id`,
    parameters,
  );
  const agents = await tx.query<AgentRow>(
    `select agent_id, queue_ids, since, event_id from agent_queues where tenant_id = $1 and agent_id = any ($2::uuid[])
     order by since, event_id`,
    [tx.tenantId, [...new Set(checked.map(({ actor }) => actor.id))]],
  );
  return new Facts({
    parked,
    participations,
    assignments: assignments.map((row) => ({
      conversationId: row.conversation_id,
      agentId: row.agent_id,
      subject: row.subject,
      from: row.from_at.getTime(),
      until: row.until_at?.getTime() ?? null,
      assignedEvent: row.assigned_event,
      endedEvent: row.ended_event,
    })),
    queues: queues.map((row) => ({
      conversationId: row.conversation_id,
      subject: row.subject,
      queueId: row.queue_id,
      since: row.since.getTime(),
      eventId: row.event_id,
    })),
    agents: agents.map((row) => ({
      agentId: row.agent_id,
      queueIds: row.queue_ids,
      since: row.since.getTime(),
      eventId: row.event_id,
    })),
  });
};

const loadParticipations = async (tx: Tx, subjects: readonly string[]): Promise<readonly Participation[]> =>
  subjects.length === 0
    ? []
    : tx.query<Participation>(`select subject, owner from participant where tenant_id = $1 and subject = any ($2::text[])`, [
        tx.tenantId,
        subjects,
      ]);
