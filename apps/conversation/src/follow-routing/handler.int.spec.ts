import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestPlatform } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

describe('what routing decides', () => {
  it('from waiting to done: who has it, who may see it, what the thread says', async () => {
    const { customer, agent, path } = await sut.talking();
    const task = sut.task(customer);
    const at = sut.now().toISOString();
    const detail = async () => (await sut.call(sut.supervisor(), 'GET', path)).body;
    expect(await detail()).toMatchObject({
      state: 'assigned',
      assignedAgentId: agent.id,
      queueId: sut.queueId,
      waitingSince: null,
    });

    await sut.routing('task.transferred.v1', customer.subjectId, task.taskId, {
      ...{ ...task, transferId: randomUUID(), fromAgentId: agent.id, toQueueId: sut.queueId, toAgentId: null, transferredAt: at },
    });
    await sut.queue(customer);
    await sut.settled('routing.events.v1');
    expect(await detail()).toMatchObject({ state: 'waiting', assignedAgentId: null, waitingSince: expect.any(String) });

    const colleague = await sut.agent();
    await sut.assign(customer, colleague.id);
    expect((await sut.call(agent, 'GET', path)).status).toBe(403);
    await sut.call(colleague, 'POST', `${path}/close`, { dispositionCode: 'solved' });
    await sut.routing('task.wrapping.v1', customer.subjectId, task.taskId, { ...task, agentId: colleague.id, wrapUpUntil: at });
    await sut.settled('routing.events.v1');
    expect(await detail()).toMatchObject({ state: 'closed', assignedAgentId: colleague.id });
    expect((await sut.call(colleague, 'POST', `${path}/notes`, { text: 'Al final' })).status).toBe(200);

    await sut.routing('task.completed.v1', customer.subjectId, task.taskId, { ...task, agentId: colleague.id, completedAt: at });
    await sut.settled('routing.events.v1');
    expect(await detail()).toMatchObject({ state: 'closed', assignedAgentId: null });
    const closed = await sut.call(colleague, 'GET', '/v1/inbox?view=closed');
    expect((closed.body as { items: { conversationId: string }[] }).items.map(({ conversationId }) => conversationId)).toEqual([
      task.taskId,
    ]);
    expect(
      (await sut.rows('thread_item', 'conversation_id', task.taskId)).flatMap(({ event_type }) => event_type ?? []).sort(),
    ).toEqual([...['assigned', 'assigned', 'closed', 'disposed', 'transferred']]);
  });

  it('a command that carries the token of an assignment finds it, however far behind the copy was', async () => {
    const customer = await sut.customer();
    await sut.message(customer, 'Hola');
    await sut.recorded(customer, 1);
    const agent = await sut.agent();
    const task = sut.task(customer);
    await sut.routing('task.assigned.v1', customer.subjectId, task.taskId, {
      ...{
        ...task,
        reservationId: randomUUID(),
        decisionId: randomUUID(),
        agentId: agent.id,
        queueId: null,
        assignedAt: sut.now().toISOString(),
      },
    });
    const token = Buffer.from(JSON.stringify(['routing.events.v1', customer.subjectId, '1'])).toString('base64url');
    const answer = await sut.call(agent, 'GET', `/v1/conversations/${task.taskId}`, undefined, { 'x-causal-token': token });
    expect(answer).toMatchObject({ status: 200, body: { mayReply: 'text' } });
  });

  it('an agent who leaves a queue no longer sees what waits there', async () => {
    const customer = await sut.customer();
    await sut.message(customer, 'Hola');
    await sut.recorded(customer, 1);
    await sut.queue(customer);
    const agent = await sut.agent();
    await sut.settled('routing.events.v1');
    const path = `/v1/conversations/${sut.conversation(customer)}`;
    expect((await sut.call(agent, 'GET', path)).status).toBe(200);
    await sut.routing('agent.defined.v1', agent.id, agent.id, {
      ...{ agentId: agent.id, label: 'Agent 1', skills: [], queueIds: [], capacity: 3 },
    });
    await sut.settled('routing.events.v1');
    expect((await sut.call(agent, 'GET', path)).status).toBe(403);
  });
});
