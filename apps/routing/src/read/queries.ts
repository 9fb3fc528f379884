import type { EventData } from '@centralita/contracts';
import {
  defaultPolicy,
  initialState,
  type Agent,
  type Policy,
  type Queue,
  type RoutingState,
  type Task,
} from '@centralita/domain-routing';
import type { Tx } from '@centralita/event-store';
import { taskFromJson, type TaskJson } from './rows.js';

export type Decision = EventData<'routing.decided.v1'>;

export const agentById = async (tx: Tx, agentId: string): Promise<Agent | null> => {
  const [row] = await tx.query<{ state: Agent }>(`select state from agent where tenant_id = $1 and agent_id = $2`, [
    tx.tenantId,
    agentId,
  ]);
  return row?.state ?? null;
};

export const allAgents = async (tx: Tx): Promise<Agent[]> => {
  const rows = await tx.query<{ state: Agent }>(
    `select state from agent where tenant_id = $1 order by state ->> 'label', agent_id`,
    [tx.tenantId],
  );
  return rows.map((row) => row.state);
};

export const queuesByIdOf = async (tx: Tx): Promise<Map<string, Queue>> => {
  const rows = await tx.query<{ state: Queue }>(
    `select state from queue where tenant_id = $1 order by state ->> 'name', queue_id`,
    [tx.tenantId],
  );
  return new Map(rows.map((row) => [row.state.queueId, row.state]));
};

const policyOf = async (tx: Tx): Promise<Policy> => {
  const [row] = await tx.query<{ state: Policy }>(`select state from policy where tenant_id = $1`, [tx.tenantId]);
  return row?.state ?? defaultPolicy;
};

/** What an agent is asked for or has in hand. */
export const tasksOf = async (tx: Tx, agentId: string): Promise<Task[]> => {
  const rows = await tx.query<{ state: TaskJson }>(
    `select state from task where tenant_id = $1 and agent_id = $2 and phase in ('offered', 'assigned', 'wrapping')`,
    [tx.tenantId, agentId],
  );
  return rows.map((row) => taskFromJson(row.state));
};

/** Everything that the board tells, as a state of the domain: the same rules then say why a task waits. */
export const boardState = async (tx: Tx): Promise<RoutingState> => {
  const [agents, queues, policy] = [await allAgents(tx), await queuesByIdOf(tx), await policyOf(tx)];
  const rows = await tx.query<{ state: TaskJson }>(
    `select state from task where tenant_id = $1 and phase in ('waiting', 'offered')`,
    [tx.tenantId],
  );
  const tasks = rows.map((row) => taskFromJson(row.state));
  return {
    ...initialState,
    policy,
    queues,
    agents: new Map(agents.map((agent) => [agent.agentId, agent])),
    tasks: new Map(tasks.map((task) => [task.taskId, task])),
  };
};

/** The task of an offer that was made to this agent, whatever became of it; null when there is none. */
export const taskOfOffer = async (tx: Tx, reservationId: string, agentId: string): Promise<string | null> => {
  const [row] = await tx.query<{ task_id: string }>(
    `select task_id from offer where tenant_id = $1 and reservation_id = $2 and agent_id = $3`,
    [tx.tenantId, reservationId, agentId],
  );
  return row?.task_id ?? null;
};

/** Whether the task is with this agent, or was with nobody after. */
export const hadTask = async (tx: Tx, taskId: string, agentId: string): Promise<boolean> => {
  const [row] = await tx.query(
    `select 1 from task where tenant_id = $1 and task_id = $2 and agent_id = $3 and phase in ('assigned', 'wrapping', 'completed')`,
    [tx.tenantId, taskId, agentId],
  );
  return row !== undefined;
};

export const decisionsById = async (tx: Tx, decisionIds: readonly string[]): Promise<Map<string, Decision>> => {
  if (decisionIds.length === 0) return new Map();
  const rows = await tx.query<{ decision: Decision }>(
    `select decision from decision where tenant_id = $1 and decision_id = any ($2)`,
    [tx.tenantId, decisionIds],
  );
  return new Map(rows.map((row) => [row.decision.decisionId, row.decision]));
};

/** Decisions about a task, the first one first; null when there is no such task. */
export const decisionsAbout = async (tx: Tx, taskId: string): Promise<Decision[] | null> => {
  const [task] = await tx.query(`select 1 from task where tenant_id = $1 and task_id = $2`, [tx.tenantId, taskId]);
  if (!task) return null;
  const rows = await tx.query<{ decision: Decision }>(
    `select decision from decision where tenant_id = $1 and task_id = $2 order by domain_seq`,
    [tx.tenantId, taskId],
  );
  return rows.map((row) => row.decision);
};
