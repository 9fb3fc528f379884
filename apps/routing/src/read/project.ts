import { taskToJson, type RoutingEvent, type RoutingState } from '@centralita/domain-routing';
import type { Part } from '@centralita/event-store';
import { policyStream, taskStream } from '../ids.js';

/** An event with the place that the store gave it. */
export type Placed = {
  readonly event: RoutingEvent;
  readonly streamId: string;
  readonly streamVersion: bigint;
  readonly domainSeq: bigint;
};

/** Everything that projects from the events of a domain; dropped and made again by a rebuild. */
export const projectedTables = ['agent', 'queue', 'policy', 'task', 'offer', 'decision'] as const;

const newestVersions = (placed: readonly Placed[]): ((streamId: string) => string) => {
  const versions = new Map<string, bigint>();
  for (const { streamId, streamVersion } of placed) versions.set(streamId, streamVersion);
  return (streamId) => (versions.get(streamId) ?? 0n).toString();
};

/** What stands in one map and not, or otherwise, in the other. States share what did not change, so identity tells. */
const changed = <Value>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): [string, Value][] =>
  [...after].filter(([id, value]) => before.get(id) !== value);

/** What these events changed in the tables that answer queries; to be written in the transaction that appends them. */
export const projection = (tenantId: string, before: RoutingState, placed: readonly Placed[], after: RoutingState): Part[] => {
  if (placed.length === 0) return [];
  const versionOf = newestVersions(placed);
  return [
    ...agentRows(changed(before.agents, after.agents), versionOf),
    ...queueRows(changed(before.queues, after.queues), versionOf),
    ...(before.policy === after.policy
      ? []
      : [
          {
            sql: `insert into policy (tenant_id, state, version) values ($1, $2, $3)
       on conflict (tenant_id) do update set state = excluded.state, version = excluded.version`,
            values: [JSON.stringify(after.policy), versionOf(policyStream(tenantId))],
          },
        ]),
    ...taskRows(tenantId, before, placed, after, versionOf),
    ...offerRows(placed),
    ...decisionRows(placed),
  ];
};

const agentRows = (agents: readonly [string, unknown][], versionOf: (id: string) => string): Part[] => {
  if (agents.length === 0) return [];
  // Work in hand changes an agent without an event on the agent's own stream: the version stays.
  return [
    {
      sql: `insert into agent as a (tenant_id, agent_id, state, version)
     select $1, * from unnest($2::uuid[], $3::jsonb[], $4::bigint[])
     on conflict (tenant_id, agent_id) do update
       set state = excluded.state, version = greatest(a.version, excluded.version)`,
      values: [agents.map(([id]) => id), agents.map(([, state]) => JSON.stringify(state)), agents.map(([id]) => versionOf(id))],
    },
  ];
};

const queueRows = (queues: readonly [string, unknown][], versionOf: (id: string) => string): Part[] => {
  if (queues.length === 0) return [];
  return [
    {
      sql: `insert into queue (tenant_id, queue_id, state, version)
     select $1, * from unnest($2::uuid[], $3::jsonb[], $4::bigint[])
     on conflict (tenant_id, queue_id) do update set state = excluded.state, version = excluded.version`,
      values: [queues.map(([id]) => id), queues.map(([, state]) => JSON.stringify(state)), queues.map(([id]) => versionOf(id))],
    },
  ];
};

const taskRows = (
  tenantId: string,
  before: RoutingState,
  placed: readonly Placed[],
  after: RoutingState,
  versionOf: (id: string) => string,
): Part[] => {
  const touched = new Map<string, { phase: string; agentId: string | null; state: string | null }>();
  for (const { event } of placed) {
    if (event.type === 'task.completed.v1')
      touched.set(event.data.taskId, { phase: 'completed', agentId: event.data.agentId, state: null });
  }
  for (const [taskId, task] of changed(before.tasks, after.tasks))
    touched.set(taskId, {
      phase: task.phase.name,
      agentId: task.phase.name === 'waiting' ? null : task.phase.agentId,
      state: JSON.stringify(taskToJson(task)),
    });
  if (touched.size === 0) return [];
  const rows = [...touched];
  return [
    {
      sql: `insert into task as t (tenant_id, task_id, phase, agent_id, state, version)
     select $1, * from unnest($2::uuid[], $3::text[], $4::uuid[], $5::jsonb[], $6::bigint[])
     on conflict (tenant_id, task_id) do update
       set phase = excluded.phase, agent_id = excluded.agent_id, state = excluded.state,
           version = greatest(t.version, excluded.version)`,
      values: [
        rows.map(([taskId]) => taskId),
        rows.map(([, row]) => row.phase),
        rows.map(([, row]) => row.agentId),
        rows.map(([, row]) => row.state),
        rows.map(([taskId]) => versionOf(taskStream(tenantId, taskId))),
      ],
    },
  ];
};

const offerRows = (placed: readonly Placed[]): Part[] => {
  const offers = placed.flatMap(({ event }) => (event.type === 'reservation.offered.v1' ? [event.data] : []));
  if (offers.length === 0) return [];
  return [
    {
      sql: `insert into offer (tenant_id, reservation_id, agent_id, task_id) select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[])`,
      values: [
        offers.map(({ reservationId }) => reservationId),
        offers.map(({ agentId }) => agentId),
        offers.map(({ taskId }) => taskId),
      ],
    },
  ];
};

const decisionRows = (placed: readonly Placed[]): Part[] => {
  const decisions = placed.flatMap(({ event, domainSeq }) =>
    event.type === 'routing.decided.v1' ? [{ data: event.data, domainSeq }] : [],
  );
  if (decisions.length === 0) return [];
  return [
    {
      sql: `insert into decision (tenant_id, decision_id, task_id, domain_seq, decision)
     select $1, * from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::jsonb[])`,
      values: [
        decisions.map(({ data }) => data.decisionId),
        decisions.map(({ data }) => data.taskId),
        decisions.map(({ domainSeq }) => domainSeq.toString()),
        decisions.map(({ data }) => JSON.stringify(data)),
      ],
    },
  ];
};
