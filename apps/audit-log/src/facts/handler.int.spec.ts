import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import type { ConsumedEvent, EventBatch } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { startHarness, type Harness } from '../support.spec.js';
import { FactsHandler } from './handler.js';

let harness: Harness;
let db: Database;
beforeAll(async () => {
  harness = await startHarness();
  db = new Database(createDataSource({ url: harness.database.appUrl, poolSize: 2 }));
});
afterAll(async () => {
  await db.close();
  await harness.close();
});

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();

describe(FactsHandler.name, () => {
  it('keeps the same facts however the decisions of routing are cut into batches', async () => {
    // given a conversation that goes from one agent to another, back, and ends; and a second one that is transferred to a queue
    const [first, second] = [randomUUID(), randomUUID()];
    const [one, two, queueId] = [randomUUID(), randomUUID(), randomUUID()];
    const rowsOf = async (size: number): Promise<unknown[]> => {
      const tenantId = harness.tenant().id;
      const [person] = await harness.customers(tenantId, 1);
      const subjectId = person?.id ?? '';
      const task = (conversationId: string) => ({ taskId: conversationId, conversationId, subjectId });
      const decisions: [string, object][] = [
        ['agent.defined.v1', { agentId: one, queueIds: [] }],
        ['agent.defined.v1', { agentId: two, queueIds: [queueId, first] }],
        ['task.queued.v1', { ...task(first), queueId, queuedAt: at(0) }],
        ['task.assigned.v1', { ...task(first), agentId: one, assignedAt: at(1) }],
        ['task.assigned.v1', { ...task(second), agentId: one, assignedAt: at(2) }],
        ['task.transferred.v1', { ...task(first), fromAgentId: one, toQueueId: null, transferredAt: at(3) }],
        ['task.assigned.v1', { ...task(first), agentId: two, assignedAt: at(4) }],
        ['task.released.v1', { ...task(first), agentId: two, releasedAt: at(5) }],
        ['task.assigned.v1', { ...task(first), agentId: one, assignedAt: at(6) }],
        ['task.completed.v1', { ...task(first), agentId: one, completedAt: at(7) }],
        ['task.transferred.v1', { ...task(second), fromAgentId: one, toQueueId: queueId, transferredAt: at(8) }],
        ['task.assigned.v1', { ...task(second), agentId: one, assignedAt: at(9) }],
      ];
      const events = decisions.map(([type, data], n) => ({
        event: { type, data, id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`, time: at(n) } as CloudEvent,
      })) as ConsumedEvent[];
      const handler = new FactsHandler(harness.keyring);
      // when
      for (let from = 0; from < events.length; from += size)
        await db.withTenant(tenantId, (tx) =>
          handler.onDecisions({ tenantId, events: events.slice(from, from + size), tx } as unknown as EventBatch),
        );
      const select = async (sql: string): Promise<unknown[]> => (await harness.admin.query<object>(sql, [tenantId])).rows;
      return [
        await select(
          `select conversation_id, agent_id, assigned_event, from_at, until_at, ended_event, subject is not null as known
           from assignment where tenant_id = $1 order by assigned_event`,
        ),
        await select(`select conversation_id, event_id, queue_id, since from task_queue where tenant_id = $1 order by event_id`),
        await select(`select agent_id, event_id, queue_ids, since from agent_queues where tenant_id = $1 order by event_id`),
      ];
    };
    // then
    const [assignments, queues, agents] = (await rowsOf(1)) as [
      { until_at: Date | null; ended_event: string }[],
      unknown[],
      unknown[],
    ];
    expect(
      assignments.map(({ until_at: until, ended_event: ended }) => [until?.toISOString() ?? null, ended?.slice(-2) ?? null]),
    ).toEqual([
      [at(3), '05'],
      [at(8), '10'],
      [at(5), '07'],
      [at(7), '09'],
      [null, null],
    ]);
    expect([queues.length, agents.length]).toEqual([2, 2]);
    for (const size of [12, 5, 3]) expect(await rowsOf(size)).toEqual([assignments, queues, agents]);
  });
});
