import type { Assignment } from '@centralita/domain-conversation';
import type { Part, Tx } from '@centralita/event-store';
import { readRows, replaceRows } from './rows.js';

export type AssignmentRow = {
  readonly queue_id: string | null;
  readonly agent_id: string | null;
  readonly last_agent_id: string | null;
  readonly offered_agent_id: string | null;
  readonly waiting_since: string | null;
  readonly version: number;
  readonly seen: number;
};

export const assignmentOf = (row: AssignmentRow): Assignment => ({
  queueId: row.queue_id,
  agentId: row.agent_id,
  lastAgentId: row.last_agent_id,
  offeredAgentId: row.offered_agent_id,
  waitingSince: row.waiting_since,
  version: row.version,
  seen: row.seen,
});

/** Assignments of these conversations, of those that routing has told anything about. */
export const readAssignments = async (tx: Tx, conversationIds: readonly string[]): Promise<Map<string, Assignment>> => {
  const rows = await readRows<AssignmentRow & { conversation_id: string }>(
    tx,
    `select conversation_id, queue_id, agent_id, last_agent_id, offered_agent_id, waiting_since, version, seen
     from assignment where tenant_id = $1 and conversation_id = any ($2::uuid[])`,
    [tx.tenantId, [...new Set(conversationIds)]],
  );
  return new Map(rows.map((row) => [row.conversation_id, assignmentOf(row)]));
};

export const assignmentRows = (assignments: ReadonlyMap<string, Assignment>): Part[] =>
  replaceRows(
    'assignment',
    ['conversation_id'],
    [...assignments].map(([conversation_id, state]) => ({
      conversation_id,
      queue_id: state.queueId,
      agent_id: state.agentId,
      last_agent_id: state.lastAgentId,
      offered_agent_id: state.offeredAgentId,
      waiting_since: state.waitingSince,
      version: state.version,
      seen: state.seen,
    })),
  );
