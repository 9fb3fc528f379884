import type { EventData } from '@centralita/contracts';
import {
  defaultPolicy,
  initialState,
  taskFromJson,
  type Agent,
  type Policy,
  type Queue,
  type RoutingState,
  type Task,
  type TaskJson,
} from '@centralita/domain-routing';
import type { Tx } from '@centralita/event-store';

export type Decision = EventData<'routing.decided.v1'>;

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

/** An agent with what they are asked for or have in hand, and of offers the decision and the queue. Null when nobody defined the agent. */
export type Desk = {
  readonly agent: Agent;
  readonly tasks: readonly Task[];
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly queues: ReadonlyMap<string, Queue>;
};

/**
 * In one statement: consoles ask for this all day. Decisions are looked up one by one and not joined: the planner cannot know how few
 * tasks an agent has, and would read every decision that was ever made.
 */
export const deskOf = async (tx: Tx, agentId: string): Promise<Desk | null> => {
  const [row] = await tx.query<{ agent: Agent; tasks: TaskJson[]; decisions: Decision[]; queues: Queue[] }>(
    `with own as (
       select phase, state from task where tenant_id = $1 and agent_id = $2 and phase in ('offered', 'assigned', 'wrapping')
     )
     select a.state as agent,
            (select coalesce(jsonb_agg(state), '[]') from own) as tasks,
            (select coalesce(jsonb_agg(found) filter (where found is not null), '[]')
               from (select (select d.decision from decision d
                              where d.tenant_id = $1 and d.decision_id = (own.state -> 'phase' ->> 'decisionId')::uuid) as found
                       from own where own.phase = 'offered') as looked) as decisions,
            (select coalesce(jsonb_agg(q.state), '[]') from queue q
              where q.tenant_id = $1 and q.queue_id in (select (state ->> 'queueId')::uuid from own where phase = 'offered')) as queues
     from agent a where a.tenant_id = $1 and a.agent_id = $2`,
    [tx.tenantId, agentId],
  );
  return row
    ? {
        agent: row.agent,
        tasks: row.tasks.map(taskFromJson),
        decisions: new Map(row.decisions.map((decision) => [decision.decisionId, decision])),
        queues: new Map(row.queues.map((queue) => [queue.queueId, queue])),
      }
    : null;
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
