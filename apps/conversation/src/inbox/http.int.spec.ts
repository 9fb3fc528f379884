import { randomUUID } from 'node:crypto';
import type { InboxRow } from '@centralita/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR, TestPlatform, type Customer } from '../support.spec.js';

type Actor = Parameters<TestPlatform['call']>[0];

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const inbox = async (actor: Actor, query = ''): Promise<InboxRow[]> => {
  const answer = await sut.call(actor, 'GET', `/v1/inbox${query}`);
  expect(answer.status).toBe(200);
  return (answer.body as { items: InboxRow[] }).items;
};
const ids = (rows: readonly InboxRow[]): string[] => rows.map(({ conversationId }) => conversationId);
const wrote = async (text: string, at?: Date): Promise<Customer> => {
  const customer = await sut.customer();
  await sut.message(customer, text, at ? { at } : {});
  await sut.recorded(customer, 1);
  return customer;
};

describe('who sees what in the inbox', () => {
  it('an agent: their own, what waits in their queues, what is offered to them; a supervisor: all', async () => {
    const [mine, waiting, offered, foreign, unserved] = [
      await wrote('1'),
      await wrote('2'),
      await wrote('3'),
      await wrote('4'),
      await wrote('5'),
    ];
    const agent = await sut.agent();
    const elsewhere = randomUUID();
    await sut.queue(waiting);
    await sut.queue(offered, elsewhere);
    await sut.queue(foreign, elsewhere);
    await sut.queue(unserved, null);
    await sut.routing('reservation.offered.v1', offered.subjectId, sut.conversation(offered), {
      ...sut.task(offered),
      ...{ reservationId: randomUUID(), decisionId: randomUUID(), agentId: agent.id },
      ...{ offeredAt: sut.now().toISOString(), expiresAt: sut.now().toISOString() },
    });
    await sut.assign(mine, agent.id);
    await sut.settled('routing.events.v1');
    const of = (...customers: readonly Customer[]): string[] => customers.map((customer) => sut.conversation(customer)).sort();

    expect(ids(await inbox(agent, '?view=mine'))).toEqual(of(mine));
    expect(ids(await inbox(agent, '?view=unassigned')).sort()).toEqual(of(waiting, offered));
    expect(ids(await inbox(agent, '?view=all')).sort()).toEqual(of(mine, waiting, offered));
    expect(ids(await inbox(sut.supervisor(), '?view=unassigned')).sort()).toEqual(of(waiting, offered, foreign, unserved));
    expect(ids(await inbox(sut.supervisor(), '?view=all')).sort()).toEqual(of(mine, waiting, offered, foreign, unserved));

    for (const [customer, status] of [
      [mine, 200],
      [waiting, 200],
      [offered, 200],
      [foreign, 403],
      [unserved, 403],
    ] as const) {
      const path = `/v1/conversations/${sut.conversation(customer)}`;
      expect((await sut.call(agent, 'GET', path)).status).toBe(status);
      expect((await sut.call(agent, 'GET', `${path}/messages`)).status).toBe(status);
    }
    const stranger: Actor = { tenantId: randomUUID(), roles: ['supervisor'] };
    expect(await inbox(stranger, '?view=all')).toEqual([]);
    expect((await sut.call(stranger, 'GET', `/v1/conversations/${sut.conversation(mine)}`)).status).toBe(404);
  });

  it('what is resolved leaves "mine" at once; while its agent wraps up it stands among the closed ones, and may be noted', async () => {
    const { customer, agent, path } = await sut.talking();
    expect((await sut.call(agent, 'POST', `${path}/close`, { dispositionCode: 'solved' })).status).toBe(200);
    await sut.routing('task.wrapping.v1', customer.subjectId, sut.task(customer).taskId, {
      ...{ ...sut.task(customer), agentId: agent.id, wrapUpUntil: sut.now().toISOString() },
    });
    await sut.settled('routing.events.v1');
    expect(await sut.row(customer)).toMatchObject({ status: 'closed', agent_id: agent.id });
    expect(await inbox(agent, '?view=mine')).toEqual([]);
    for (const sort of ['recent', 'wait', 'window'])
      expect(ids(await inbox(agent, `?view=closed&sort=${sort}`))).toEqual([sut.conversation(customer)]);
    expect((await sut.call(agent, 'GET', path)).status).toBe(200);
    expect((await sut.call(agent, 'POST', `${path}/notes`, { text: 'nota' })).status).toBe(200);
  });

  it('a clerk of billing sees nothing', async () => {
    expect((await sut.call({ tenantId: sut.tenantId, roles: ['billing'] }, 'GET', '/v1/inbox')).status).toBe(403);
  });
});

describe('what a row shows', () => {
  it('name, masked phone, the newest message, unread, window; opened for this answer and recorded', async () => {
    const { customer, agent } = await sut.talking();
    await sut.message(customer, 'Otra\ncosa 👍', { at: new Date(sut.now().getTime() + 1000) });
    await sut.recorded(customer, 2);
    const answer = await sut.call(agent, 'GET', '/v1/inbox');
    expect((answer.body as { items: InboxRow[] }).items).toEqual([
      expect.objectContaining({
        displayName: customer.name,
        phoneMasked: `•••${customer.phone.slice(-3)}`,
        preview: 'Otra cosa 👍',
        previewKind: 'in',
        erased: false,
        state: 'assigned',
        assignedAgentId: agent.id,
        language: 'es',
        unread: 2,
        waitingSince: null,
      }),
    ]);
    const recordId = answer.headers.get('x-access-record');
    const { rows } = await sut.sql.query<{ data: Record<string, unknown> }>(`select data from events where event_id = $1`, [
      recordId,
    ]);
    expect(rows[0]?.data).toMatchObject({
      action: 'conversation.inbox.read',
      resultCount: 1,
      reason: { code: 'ASSIGNED_CONVERSATION' },
      fields: ['display_name', 'message_preview', 'phone_masked', 'subject_id'],
    });
    expect(rows[0]?.data['subjects']).toHaveLength(1);
  });

  it('read by its agent it has nothing unread; a look of the supervisor leaves the count', async () => {
    const { customer, agent, path } = await sut.talking();
    expect((await sut.call(sut.supervisor(), 'POST', `${path}/read`, {})).status).toBe(200);
    expect(await sut.row(customer)).toMatchObject({ unread: 1 });
    expect((await sut.call(agent, 'POST', `${path}/read`, {})).status).toBe(200);
    expect(await sut.row(customer)).toMatchObject({ unread: 0 });
  });
});

describe('what the business wrote elsewhere', () => {
  it('has seen what came before it, and not what came since', async () => {
    const { customer } = await sut.talking();
    const echo = async (at: Date, messageType = 'text'): Promise<void> => {
      const before = (await sut.published('conversation.message.recorded.v1', customer)).length;
      await sut.publish('wa.inbound.v1', 'whatsapp.echo.received.v1', customer.subjectId, {
        ...sut.origin(),
        messageRef: await sut.ref(`wamid.${randomUUID()}`),
        messageType,
        providerTime: at.toISOString(),
        subjectId: customer.subjectId,
        marketHint: { country: 'ES', prefix: '34' },
        sealed: await sut.envelope(customer, { text: { body: 'Ya está' } }),
      });
      await sut.recorded(customer, before + 1);
    };
    const second = 1000;
    const now = sut.now().getTime();
    expect(await sut.row(customer)).toMatchObject({ unread: 1 });
    await echo(new Date(now - 60 * second));
    expect(await sut.row(customer)).toMatchObject({ unread: 1 });
    await echo(new Date(now + second), 'revoke');
    expect(await sut.row(customer)).toMatchObject({ unread: 1 });
    await echo(new Date(now + 2 * second));
    expect(await sut.row(customer)).toMatchObject({ unread: 0 });
  });
});

describe('pages', () => {
  it.each(['recent', 'wait', 'window'] as const)('by %s: every row once, in order, over pages of two', async (sort) => {
    const agent = await sut.agent([randomUUID()]);
    const queueId = agent.id;
    await sut.routing('agent.defined.v1', agent.id, agent.id, {
      ...{ agentId: agent.id, label: 'Agent', skills: [], queueIds: [queueId], capacity: 1 },
    });
    const now = sut.now().getTime();
    const ages = [3, 30, 1, 26, 2];
    const customers: Customer[] = [];
    for (const age of ages) {
      const customer = await wrote('Hola', new Date(now - age * HOUR));
      await sut.queue(customer, queueId);
      customers.push(customer);
    }
    await sut.settled('routing.events.v1');
    const byAge = (...wanted: readonly number[]): string[] =>
      wanted.map((age) => sut.conversation(customers[ages.indexOf(age)] as Customer));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const answer = await sut.call(
        agent,
        'GET',
        `/v1/inbox?view=unassigned&sort=${sort}&limit=2${cursor ? `&cursor=${cursor}` : ''}`,
      );
      const body = answer.body as { items: InboxRow[]; nextCursor: string | null };
      seen.push(...ids(body.items));
      cursor = body.nextCursor;
    } while (cursor);
    if (sort === 'recent') expect(seen).toEqual(byAge(1, 2, 3, 26, 30));
    if (sort === 'wait') expect(seen).toEqual(byAge(...ages));
    // windows that are over come last, in any order
    if (sort === 'window') expect([seen.slice(0, 3), seen.slice(3).sort()]).toEqual([byAge(3, 2, 1), byAge(26, 30).sort()]);
  });

  it('a cursor that is not ours is refused', async () => {
    const answer = await sut.call(sut.supervisor(), 'GET', '/v1/inbox?cursor=nonsense');
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: 'query.cursor' }] } });
  });
});
