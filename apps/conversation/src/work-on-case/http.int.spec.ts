import { randomUUID } from 'node:crypto';
import type { ThreadItem } from '@centralita/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR, TestPlatform } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const problem = (status: number, code: string) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code }) as unknown });

describe('working on a case', () => {
  it('a note is read back by the team and stands nowhere in clear', async () => {
    const { agent, path } = await sut.talking();
    const answer = await sut.call(agent, 'POST', `${path}/notes`, { text: 'Canary Marmota' });
    expect(answer.status).toBe(200);
    const thread = await sut.call(agent, 'GET', `${path}/messages`);
    expect((thread.body as { items: ThreadItem[] }).items[0]).toMatchObject({
      ...{ id: (answer.body as { id: string }).id, kind: 'note', text: 'Canary Marmota', agentId: agent.id },
    });
    const { rows } = await sut.sql.query(
      `select 1 from events where events::text like '%Marmota%' union all select 1 from thread_item t where t::text like '%Marmota%'`,
    );
    expect(rows).toEqual([]);
  });

  it('closing needs a disposition, once; what is closed stays closed', async () => {
    const { customer, agent, path } = await sut.talking();
    expect(await sut.call(agent, 'POST', `${path}/close`, {})).toEqual(problem(422, 'DISPOSITION_REQUIRED'));
    expect(await sut.call(agent, 'POST', `${path}/disposition`, { code: 'nonsense' })).toEqual(problem(400, 'VALIDATION_FAILED'));
    expect((await sut.call(agent, 'POST', `${path}/disposition`, { code: 'solved' })).status).toBe(200);
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await sut.call(agent, 'POST', `${path}/close`, {}, key),
      await sut.call(agent, 'POST', `${path}/close`, {}, key),
    ];
    expect([first.status, second.status, second.body]).toEqual([200, 200, first.body]);
    expect(await sut.call(agent, 'POST', `${path}/close`, {})).toEqual(problem(422, 'CONVERSATION_CLOSED'));
    expect(await sut.call(agent, 'POST', `${path}/replies`, { kind: 'text', text: 'x' }, { 'if-match': '1.0' })).toEqual(
      problem(422, 'CONVERSATION_CLOSED'),
    );
    await sut.seen(async () => (await sut.published('conversation.closed.v1', customer)).length > 0, 'the closing on the log');
    expect(await sut.published('conversation.closed.v1', customer)).toMatchObject([
      { agentId: agent.id, dispositionCode: 'solved' },
    ]);
  });

  it('the customer writes again: within a day the case reopens, later the next begins', async () => {
    const { customer, agent, path } = await sut.talking();
    await sut.call(agent, 'POST', `${path}/close`, { dispositionCode: 'solved' });
    await sut.later(23 * HOUR, async () => {
      await sut.message(customer, 'Una cosa más');
      await sut.recorded(customer, 2);
    });
    expect(await sut.row(customer)).toMatchObject({ status: 'open', closed_at: null, disposition_code: null });
    expect(await sut.call(agent, 'POST', `${path}/close`, {})).toEqual(problem(422, 'DISPOSITION_REQUIRED'));
    await sut.call(agent, 'POST', `${path}/close`, { dispositionCode: 'information' });
    await sut.later(25 * HOUR, async () => {
      await sut.message(customer, 'Hola de nuevo');
      await sut.recorded(customer, 3);
    });
    expect(await sut.row(customer)).toMatchObject({ status: 'closed' });
    expect(await sut.row(customer, 2)).toMatchObject({ status: 'open', ordinal: 2, unread: 1 });
  });

  it('a transfer is asked for; its target must exist', async () => {
    const { customer, agent, path } = await sut.talking();
    const transfer = (body: object) => sut.call(agent, 'POST', `${path}/transfer`, body);
    expect(await transfer({ toQueueId: randomUUID() })).toEqual(problem(400, 'VALIDATION_FAILED'));
    expect(await transfer({ toAgentId: randomUUID() })).toEqual(problem(422, 'AGENT_UNKNOWN'));
    expect(await transfer({})).toEqual(problem(400, 'VALIDATION_FAILED'));
    const queueId = randomUUID();
    await sut.routing('queue.defined.v1', queueId, queueId, {
      ...{
        queueId,
        name: 'Bookings',
        phoneNumberIds: [],
        requiredSkills: [],
        languageSkill: false,
        relaxLanguageAfterMs: null,
        priority: 0,
      },
    });
    await sut.settled('routing.events.v1');
    expect((await transfer({ toQueueId: queueId })).status).toBe(200);
    const colleague = await sut.agent();
    expect((await transfer({ toAgentId: colleague.id })).status).toBe(200);
    await sut.seen(
      async () => (await sut.published('conversation.transfer.requested.v1', customer)).length === 2,
      'the requests',
    );
    expect(await sut.published('conversation.transfer.requested.v1', customer)).toMatchObject([
      { agentId: agent.id, toQueueId: queueId, toAgentId: null },
      { agentId: agent.id, toQueueId: null, toAgentId: colleague.id },
    ]);
  });

  it('somebody else may not, a supervisor may; without an idempotency key nobody', async () => {
    const { agent, path } = await sut.talking();
    const other = await sut.agent();
    expect(await sut.call(other, 'POST', `${path}/notes`, { text: 'x' })).toEqual(problem(422, 'NOT_ASSIGNED'));
    expect((await sut.call(sut.supervisor(), 'POST', `${path}/notes`, { text: 'x' })).status).toBe(200);
    expect(await sut.call(agent, 'POST', `${path}/notes`, { text: 'x' }, { 'idempotency-key': null })).toEqual(
      problem(400, 'VALIDATION_FAILED'),
    );
  });
});

describe('who the customer is', () => {
  it('is revealed for a reason, to who works on it, and recorded with it', async () => {
    const { customer, agent, path } = await sut.talking();
    const ask = { field: 'phone', reason: 'SUBJECT_REQUEST', note: 'Canary Tejón' };
    const answer = await sut.call(agent, 'POST', `${path}/reveal`, ask);
    expect(answer).toMatchObject({ status: 200, body: { phone: customer.phone, bsuid: null } });
    const { rows } = await sut.sql.query<{ data: Record<string, unknown> }>(`select data from events where event_id = $1`, [
      answer.headers.get('x-access-record'),
    ]);
    expect(rows[0]?.data).toMatchObject({
      action: 'conversation.identity.reveal',
      fields: ['phone'],
      reason: { code: 'SUBJECT_REQUEST' },
    });
    expect(JSON.stringify(rows[0])).not.toContain('Tejón');
    expect(await sut.call(agent, 'POST', `${path}/reveal`, { field: 'phone' })).toEqual(problem(400, 'VALIDATION_FAILED'));
    expect((await sut.call(await sut.agent(), 'POST', `${path}/reveal`, ask)).status).toBe(403);
  });
});

describe('what an installation offers', () => {
  it('templates, dispositions, pointers', async () => {
    const { customer, agent } = await sut.talking();
    expect((await sut.call(agent, 'GET', '/v1/templates')).body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: 'order_update' })]),
    });
    expect((await sut.call(agent, 'GET', '/v1/dispositions')).body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ code: 'solved' })]),
    });
    const now = await sut.call(agent, 'GET', '/v1/feed');
    await sut.message(customer, 'Hola otra vez');
    const feed = await sut.call(agent, 'GET', `/v1/feed?wait=5&cursor=${(now.body as { cursor: string }).cursor}`);
    expect(feed.body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ streamId: sut.conversation(customer) })]),
    });
    expect(JSON.stringify(feed.body)).not.toContain(customer.phone);
  });
});
