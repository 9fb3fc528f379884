import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR, TestPlatform, type Customer } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const text = (words: string) => ({ kind: 'text', text: words });
const again = { kind: 'template', template: 'order_update', language: 'es', values: ['mañana a las diez'] };
const problem = (status: number, code: string) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code }) as unknown });
const opened = async (customer: Customer): Promise<unknown[]> => {
  const [keys, requested] = [
    await sut.keyring.sealer(sut.tenantId, [customer.subjectId]),
    await sut.published('conversation.reply.requested.v1', customer),
  ];
  return requested
    .map(({ sealed }) => keys.open(sealed))
    .map((result) => (result.state === 'open' ? result.value : result.state));
};
const version = async (agent: Parameters<TestPlatform['call']>[0], path: string): Promise<string> =>
  ((await sut.call(agent, 'GET', path)).body as { replyVersion: string }).replyVersion;

describe('an agent answers', () => {
  it('in free text, to the phone that wrote, before the window closes', async () => {
    const at = new Date(sut.now().getTime() - HOUR);
    const { customer, agent, path } = await sut.talking(at);
    const detail = await sut.call(agent, 'GET', path);
    expect(detail).toMatchObject({ status: 200, body: { mayReply: 'text', whyNot: null, state: 'assigned' } });
    expect(detail.headers.get('etag')).toBe(`"${(detail.body as { replyVersion: string }).replyVersion}"`);
    const answer = await sut.call(agent, 'POST', `${path}/replies`, text('Sí, mañana'), {
      'if-match': detail.headers.get('etag'),
    });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('x-causal-token')).toBeTruthy();
    await sut.seen(async () => (await opened(customer)).length === 1, 'the reply on the log');
    expect(await opened(customer)).toEqual([{ to: customer.phone, text: 'Sí, mañana' }]);
    const [requested] = await sut.published('conversation.reply.requested.v1', customer);
    expect(requested).toMatchObject({
      replyId: (answer.body as { id: string }).id,
      agentId: agent.id,
      kind: 'text',
      template: null,
      sendBefore: new Date(at.getTime() + 24 * HOUR).toISOString(),
    });
    expect(await version(agent, path)).toBe((answer.body as { version: string }).version);
  });

  it('quoting a message: the provider gets its id, the log gets its reference', async () => {
    const { customer, agent, path, ref } = await sut.talking();
    const headers = { 'if-match': await version(agent, path) };
    const unknown = { ...text('x'), inReplyTo: await sut.ref('wamid.nothing') };
    expect(await sut.call(agent, 'POST', `${path}/replies`, unknown, headers)).toEqual(problem(400, 'VALIDATION_FAILED'));
    expect((await sut.call(agent, 'POST', `${path}/replies`, { ...text('A esto: sí'), inReplyTo: ref }, headers)).status).toBe(
      202,
    );
    await sut.seen(async () => (await opened(customer)).length === 1, 'the reply on the log');
    expect(await opened(customer)).toEqual([
      { to: customer.phone, text: 'A esto: sí', contextWamid: expect.stringMatching(/^wamid\./) },
    ]);
    expect((await sut.published('conversation.reply.requested.v1', customer))[0]).toMatchObject({ contextRef: ref });
  });

  it('an album that arrives between looking and sending refuses nothing', async () => {
    const { customer, agent, path } = await sut.talking();
    const seen = await version(agent, path);
    for (let picture = 0; picture < 10; picture += 1) await sut.message(customer, '', { type: 'image', body: {} });
    await sut.recorded(customer, 11);
    expect((await sut.call(agent, 'POST', `${path}/replies`, text('Recibido'), { 'if-match': seen })).status).toBe(202);
  });

  it('while messages keep arriving: nobody waits for nobody, nothing conflicts', async () => {
    const { customer, agent, path } = await sut.talking();
    const flood = (async () => {
      for (let message = 0; message < 20; message += 1) await sut.message(customer, `mensaje ${String(message)}`);
    })();
    for (let reply = 0; reply < 5; reply += 1) {
      const headers = { 'if-match': await version(agent, path) };
      expect((await sut.call(agent, 'POST', `${path}/replies`, text(`respuesta ${String(reply)}`), headers)).status).toBe(202);
    }
    await flood;
    await sut.recorded(customer, 21);
    expect(await sut.row(customer)).toMatchObject({ outbound_version: 5 });
  });

  it('waits for a batch of the same customer that is under way, and then goes', async () => {
    const { customer, agent, path } = await sut.talking();
    const batch = await sut.sql.connect();
    try {
      await batch.query('begin');
      await batch.query('select from subject where subject_id = $1 for update', [customer.subjectId]);
      const answer = sut.call(agent, 'POST', `${path}/replies`, text('Hola'), { 'if-match': '1.0' });
      await sut.seen(async () => {
        const { rows } = await sut.sql.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      }, 'the reply to wait');
      await batch.query('commit');
      expect((await answer).status).toBe(202);
    } finally {
      batch.release();
    }
  });

  it('twice at once: one goes, the other is told that somebody was faster', async () => {
    const { customer, agent, path } = await sut.talking();
    const headers = { 'if-match': await version(agent, path) };
    const answers = await Promise.all(
      ['uno', 'dos'].map((words) => sut.call(agent, 'POST', `${path}/replies`, text(words), headers)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 412]);
    expect(await sut.row(customer)).toMatchObject({ outbound_version: 1 });
  });

  it('the same command again gives the first answer and sends nothing; another one with its key is refused', async () => {
    const { customer, agent, path } = await sut.talking();
    const headers = { 'if-match': await version(agent, path), 'idempotency-key': randomUUID() };
    const first = await sut.call(agent, 'POST', `${path}/replies`, text('Hola'), headers);
    const second = await sut.call(agent, 'POST', `${path}/replies`, text('Hola'), headers);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body).toEqual(first.body);
    expect(await sut.row(customer)).toMatchObject({ outbound_version: 1 });
    expect(await sut.call(agent, 'POST', `${path}/replies`, text('Adiós'), headers)).toEqual(
      problem(422, 'IDEMPOTENCY_MISMATCH'),
    );
  });

  it('without saying what was seen: 428', async () => {
    const { agent, path } = await sut.talking();
    expect(await sut.call(agent, 'POST', `${path}/replies`, text('Hola'))).toEqual(problem(428, 'PRECONDITION_REQUIRED'));
  });
});

describe('outside the window', () => {
  it('free text is refused, the refusal is a fact, a template goes', async () => {
    const { customer, agent, path } = await sut.talking(new Date(sut.now().getTime() - 25 * HOUR));
    const headers = { 'if-match': await version(agent, path), 'idempotency-key': randomUUID() };
    expect(await sut.call(agent, 'GET', path)).toMatchObject({ body: { mayReply: 'template', whyNot: 'WINDOW_CLOSED' } });
    for (const _ of ['first', 'again'])
      expect(await sut.call(agent, 'POST', `${path}/replies`, text('Tarde'), headers)).toEqual(problem(422, 'WINDOW_CLOSED'));
    await sut.seen(async () => (await sut.published('conversation.reply.refused.v1', customer)).length === 1, 'the refusal');
    expect(await sut.published('conversation.reply.refused.v1', customer)).toMatchObject([
      { code: 'WINDOW_CLOSED', agentId: agent.id },
    ]);

    const seen = { 'if-match': await version(agent, path) };
    expect(await sut.call(agent, 'POST', `${path}/replies`, { ...again, language: 'xx' }, seen)).toEqual(
      problem(422, 'TEMPLATE_UNKNOWN'),
    );
    expect(await sut.call(agent, 'POST', `${path}/replies`, { ...again, values: [] }, seen)).toEqual(
      problem(422, 'TEMPLATE_INVALID'),
    );
    expect((await sut.call(agent, 'POST', `${path}/replies`, again, seen)).status).toBe(202);
    await sut.seen(async () => (await opened(customer)).length === 1, 'the template on the log');
    expect(await opened(customer)).toEqual([
      { to: customer.phone, template: { name: 'order_update', language: 'es', values: ['mañana a las diez'] } },
    ]);
    const thread = await sut.call(agent, 'GET', `${path}/messages`);
    expect(thread.body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ kind: 'reply', text: expect.stringContaining('mañana a las diez') }),
      ]),
    });
  });

  it('closes by time alone, and opens again when the customer writes', async () => {
    const { customer, agent, path } = await sut.talking();
    const headers = { 'if-match': await version(agent, path) };
    await sut.later(24 * HOUR, async () => {
      expect(await sut.call(agent, 'POST', `${path}/replies`, text('Tarde'), headers)).toEqual(problem(422, 'WINDOW_CLOSED'));
      await sut.message(customer, 'Sigo aquí');
      await sut.recorded(customer, 2);
      expect((await sut.call(agent, 'POST', `${path}/replies`, text('Ahora sí'), headers)).status).toBe(202);
    });
  });

  it('the provider says closed and is believed', async () => {
    const { customer, agent, path } = await sut.talking(new Date(sut.now().getTime() - 60_000));
    const headers = { 'if-match': await version(agent, path) };
    const sent = await sut.call(agent, 'POST', `${path}/replies`, text('Hola'), headers);
    await sut.status(customer, { messageRef: await sut.ref('wamid.out'), status: 'failed', errorCodes: [131047] });
    await sut.settled();
    const next = { 'if-match': (sent.body as { version: string }).version };
    expect(await sut.call(agent, 'POST', `${path}/replies`, text('¿Hola?'), next)).toEqual(problem(422, 'WINDOW_CLOSED'));
  });
});

describe('who may not', () => {
  it('an agent who is not assigned, a supervisor neither', async () => {
    const { path } = await sut.talking();
    const supervisor = sut.supervisor();
    const headers = { 'if-match': await version(supervisor, path) };
    expect(await sut.call(supervisor, 'POST', `${path}/replies`, text('Hola'), headers)).toEqual(problem(422, 'NOT_ASSIGNED'));
    expect(await sut.call(await sut.agent(), 'POST', `${path}/replies`, text('Hola'), headers)).toEqual(
      problem(422, 'NOT_ASSIGNED'),
    );
  });

  it('after a transfer the version is another and the right is gone', async () => {
    const { customer, agent, path } = await sut.talking();
    const seen = { 'if-match': await version(agent, path) };
    const colleague = await sut.agent();
    await sut.assign(customer, colleague.id);
    expect(await sut.call(agent, 'POST', `${path}/replies`, text('Hola'), seen)).toEqual(problem(422, 'NOT_ASSIGNED'));
    expect(await sut.call(colleague, 'POST', `${path}/replies`, text('Hola'), seen)).toEqual(problem(412, 'VERSION_CONFLICT'));
  });

  it('an unknown conversation and one of another tenant are the same 404', async () => {
    const { path } = await sut.talking();
    const stranger = { id: randomUUID(), tenantId: randomUUID(), roles: ['agent', 'supervisor'] as const };
    const headers = { 'if-match': '1.0' };
    const nowhere = `/v1/conversations/${randomUUID()}/replies`;
    for (const [actor, target] of [
      [stranger, `${path}/replies`],
      [sut.supervisor(), nowhere],
    ] as const)
      expect(await sut.call(actor, 'POST', target, text('Hola'), headers)).toEqual(problem(404, 'NOT_FOUND'));
  });

  it('nobody answers a customer who is being erased', async () => {
    const { customer, agent, path } = await sut.talking();
    await sut.keyring.setState(sut.tenantId, customer.subjectId, 'closing');
    expect(await sut.call(agent, 'POST', `${path}/replies`, text('Hola'), { 'if-match': '1.0' })).toEqual(
      problem(409, 'SUBJECT_CLOSING'),
    );
  });
});
