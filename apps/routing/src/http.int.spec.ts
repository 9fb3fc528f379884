import { randomUUID } from 'node:crypto';
import type { Board, Me } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { startTestService, type TestActor, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConversationTeller, type Customer } from './scenario.spec.js';
import { routingService } from './service.js';

type Answer = Awaited<ReturnType<TestService<unknown>['call']>>;

let database: TestDatabase;
let log: MemoryLog;
let service: TestService<unknown>;
beforeAll(async () => {
  database = await createTestDatabase({ service: 'routing' });
  log = createMemoryLog();
  service = await startTestService({ ...routingService, database, log });
});
afterAll(async () => {
  await service.close();
  await log.close();
  await database.drop();
});

let tenantId: string;
let queueId: string;
let ana: TestActor & { id: string };
let bea: TestActor & { id: string };
let supervisor: TestActor;
let teller: ConversationTeller;

const call = (
  actor: TestActor,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string | null>,
): Promise<Answer> =>
  service.call(actor, method, path, { ...(body === undefined ? {} : { body }), ...(headers ? { headers } : {}) });
const me = async (actor: TestActor): Promise<Me> => (await call(actor, 'GET', '/v1/me')).body as Me;
const offerTo = (actor: TestActor) => until(async () => (await me(actor)).offers[0], { describe: 'an offer' });
const queueBody = {
  name: 'Front desk',
  phoneNumberIds: ['100'],
  requiredSkills: ['groups'],
  languageSkill: true,
  relaxLanguageAfterMs: 60_000,
  priority: 3,
};
const agentBody = () => ({ label: 'Agent 1', skills: ['lang:pt', 'groups'], queueIds: [queueId], capacity: 2 });

beforeEach(() => {
  tenantId = randomUUID();
  queueId = randomUUID();
  ana = { tenantId, roles: ['agent'], id: randomUUID() };
  bea = { tenantId, roles: ['agent'], id: randomUUID() };
  supervisor = { tenantId, roles: ['supervisor'] };
  teller = new ConversationTeller(log, tenantId);
});

/** A queue, Ana online, and one customer who is offered to her. */
const offered = async (): Promise<Customer> => {
  expect((await call(supervisor, 'PUT', `/v1/queues/${queueId}`, queueBody)).status).toBe(200);
  expect((await call(supervisor, 'PUT', `/v1/agents/${ana.id}`, agentBody())).status).toBe(200);
  expect((await call(ana, 'PUT', '/v1/me/presence', { presence: 'online' })).status).toBe(200);
  const customer = teller.customer();
  await teller.opened([customer], { language: 'pt' });
  await offerTo(ana);
  return customer;
};

describe('what an agent sees and does', () => {
  it('GET /v1/me shows presence, places, and the offer with its reason', async () => {
    const customer = await offered();
    const view = await me(ana);
    expect(view).toMatchObject({ agentId: ana.id, label: 'Agent 1', presence: 'online', capacity: 2, load: 1, tasks: [] });
    expect(view.offers).toMatchObject([
      {
        taskId: customer.conversationId,
        conversationId: customer.conversationId,
        queueId,
        queueName: 'Front desk',
        language: 'pt',
        why: { rule: 'longest-idle', skills: ['groups', 'pt'], step: 1 },
      },
    ]);
    expect(Date.parse(view.offers[0]!.expiresAt) - Date.parse(view.offers[0]!.offeredAt)).toBe(30_000);
  });

  it('POST /v1/offers/:id/accept assigns; the same key gives the first result; another answer is too late', async () => {
    const customer = await offered();
    const { reservationId } = await offerTo(ana);
    const key = { 'idempotency-key': randomUUID() };
    const accepted = await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {}, key);
    expect(accepted).toMatchObject({ status: 200, body: { id: customer.conversationId, version: '5' } });
    expect(accepted.headers.get('etag')).toBe('"5"');
    expect(accepted.headers.get('x-causal-token')).toEqual(expect.any(String));
    const again = await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {}, key);
    expect(again).toMatchObject({ status: 200, body: accepted.body as object });
    const other = await call(ana, 'POST', `/v1/offers/${reservationId}/decline`, {}, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_MISMATCH' } });
    const late = await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {});
    expect(late).toMatchObject({ status: 410, body: { code: 'OFFER_GONE', retryable: false } });
    expect(await me(ana)).toMatchObject({ offers: [], load: 1, tasks: [{ taskId: customer.conversationId, state: 'assigned' }] });
  });

  it('the causal token of an answer makes the next query see its effect', async () => {
    await offered();
    const { reservationId } = await offerTo(ana);
    const accepted = await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {});
    const token = { 'x-causal-token': accepted.headers.get('x-causal-token') };
    expect((await call(ana, 'GET', '/v1/me', undefined, token)).body).toMatchObject({ tasks: [{ state: 'assigned' }] });
  });

  it('the causal token of an answer is of what was answered, although the answer makes room for another offer', async () => {
    const first = await offered();
    await call(supervisor, 'PUT', `/v1/agents/${ana.id}`, { ...agentBody(), capacity: 1 });
    await teller.opened([teller.customer()], { language: 'pt' });
    const { reservationId } = await offerTo(ana);
    const declined = await call(ana, 'POST', `/v1/offers/${reservationId}/decline`, {});
    const token = JSON.parse(Buffer.from(declined.headers.get('x-causal-token')!, 'base64url').toString()) as string[];
    expect(token.slice(0, 2)).toEqual(['routing.events.v1', first.subjectId]);
    await until(async () => (await me(ana)).offers.some((offer) => offer.conversationId !== first.conversationId), {
      describe: 'the offer that follows',
    });
  });

  it('POST /v1/offers/:id/decline gives it back', async () => {
    await offered();
    const { reservationId } = await offerTo(ana);
    expect((await call(ana, 'POST', `/v1/offers/${reservationId}/decline`, {})).status).toBe(200);
    expect(await me(ana)).toMatchObject({ offers: [], load: 0 });
  });

  it('an offer of a colleague, an unknown one and one of another tenant are the same 404', async () => {
    await offered();
    const { reservationId } = await offerTo(ana);
    const stranger: TestActor = { tenantId: randomUUID(), roles: ['agent'], id: ana.id };
    for (const [actor, id] of [
      [bea, reservationId],
      [stranger, reservationId],
      [ana, randomUUID()],
      [ana, 'not-an-id'],
    ] as const) {
      const { status, body } = await call(actor, 'POST', `/v1/offers/${id}/accept`, {});
      expect({ status, code: (body as { code: string }).code }).toEqual({ status: 404, code: 'NOT_FOUND' });
    }
  });

  it('POST /v1/tasks/:id/complete ends the wrap-up early, once the conversation is closed', async () => {
    const customer = await offered();
    const { reservationId } = await offerTo(ana);
    await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {});
    const complete = (actor: TestActor) => call(actor, 'POST', `/v1/tasks/${customer.conversationId}/complete`, {});
    expect(await complete(ana)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(await complete(bea)).toMatchObject({ status: 404 });
    await teller.closed(customer, ana.id);
    const wrapping = await until(async () => (await me(ana)).tasks.find(({ state }) => state === 'wrapping'));
    expect(Date.parse(wrapping.wrapUpUntil!)).toBeGreaterThan(Date.now());
    expect(await complete(ana)).toMatchObject({ status: 200, body: { id: customer.conversationId, version: '7' } });
    expect(await me(ana)).toMatchObject({ tasks: [], load: 0 });
    expect(await complete(ana)).toMatchObject({ status: 200, body: { version: '7' } });
  });

  it('PUT /v1/me/presence gives open offers back when leaving, and changes nothing when it is so already', async () => {
    await offered();
    const away = await call(ana, 'PUT', '/v1/me/presence', { presence: 'away' });
    expect(away).toMatchObject({ status: 200, body: { id: ana.id } });
    expect(await me(ana)).toMatchObject({ presence: 'away', offers: [], load: 0 });
    const same = await call(ana, 'PUT', '/v1/me/presence', { presence: 'away' });
    expect(same).toMatchObject({ status: 200, body: away.body as object });
  });

  it('somebody whom nobody defined is told so', async () => {
    expect(await call(bea, 'GET', '/v1/me')).toMatchObject({ status: 422, body: { code: 'AGENT_UNKNOWN' } });
    const online = await call(bea, 'PUT', '/v1/me/presence', { presence: 'online' });
    expect(online).toMatchObject({ status: 422, body: { code: 'AGENT_UNKNOWN' } });
  });
});

describe('what supervisors see and set up', () => {
  it('GET /v1/board tells who waits and why, also without a queue', async () => {
    const customer = await offered();
    const [lost, second] = [teller.customer('900'), teller.customer()];
    await teller.opened([lost, second], { language: 'en' });
    const board = await until(async () => {
      const view = (await call(supervisor, 'GET', '/v1/board')).body as Board;
      return view.waiting.length === 3 ? view : null;
    });
    const why = Object.fromEntries(board.waiting.map(({ taskId, whyWaiting }) => [taskId, whyWaiting]));
    expect(why).toEqual({
      [customer.conversationId]: 'offered',
      [lost.conversationId]: 'no_queue',
      [second.conversationId]: 'missing_skill',
    });
    expect(board.queues).toMatchObject([
      { queueId, name: 'Front desk', waiting: 2, closingSoon: 0, unserved: 1 },
      { queueId: null, name: '', waiting: 1, unserved: 1 },
    ]);
    expect(board.agents).toEqual([{ agentId: ana.id, label: 'Agent 1', presence: 'online', load: 1, capacity: 2, offers: 1 }]);
    // Of all tenants that this process writes, for dashboards.
    const phases = async () =>
      new Map((await service.metrics.gauge('routing_tasks').get()).values.map(({ labels, value }) => [labels.phase, value]));
    const counted = await until(async () => {
      const all = await phases();
      return (all.get('waiting') ?? 0) >= 2 && (all.get('offered') ?? 0) >= 1 ? all : null;
    });
    expect([...counted.keys()].sort()).toEqual(['assigned', 'offered', 'waiting', 'wrapping']);
    expect((await service.metrics.gauge('routing_oldest_waiting_seconds').get()).values[0]?.value).toBeGreaterThan(0);
    // The queue that was missing is defined: what waited goes on.
    const rescue = { ...queueBody, phoneNumberIds: ['900'], requiredSkills: [], languageSkill: false, name: 'Rescue' };
    const rescueId = randomUUID();
    await call(supervisor, 'PUT', `/v1/queues/${rescueId}`, rescue);
    const after = (await call(supervisor, 'GET', '/v1/board')).body as Board;
    expect(after.waiting.find(({ taskId }) => taskId === lost.conversationId)).toMatchObject({
      queueId: rescueId,
      whyWaiting: 'nobody_in_queue',
    });
  });

  it('GET /v1/decisions/:taskId explains each decision, to agents too', async () => {
    const customer = await offered();
    await call(supervisor, 'PUT', `/v1/agents/${bea.id}`, { ...agentBody(), label: 'Agent 2', capacity: 1 });
    const { reservationId } = await offerTo(ana);
    await call(ana, 'POST', `/v1/offers/${reservationId}/decline`, {});
    const { body } = await call(bea, 'GET', `/v1/decisions/${customer.conversationId}`);
    const { items } = body as { items: { chosenAgentId: string | null; rule: string; candidates: { reason: string }[] }[] };
    expect(items.map(({ chosenAgentId, rule }) => [chosenAgentId, rule])).toEqual([
      [ana.id, 'longest-idle'],
      [null, 'nobody-eligible'],
    ]);
    expect(items[1]!.candidates.map(({ reason }) => reason).sort()).toEqual(['declined_before', 'not_online']);
    expect((await call(bea, 'GET', `/v1/decisions/${randomUUID()}`)).status).toBe(404);
    const stranger: TestActor = { tenantId: randomUUID(), roles: ['supervisor'] };
    expect((await call(stranger, 'GET', `/v1/decisions/${customer.conversationId}`)).status).toBe(404);
  });

  it('definitions are listed as they were put', async () => {
    await offered();
    expect((await call(ana, 'GET', '/v1/agents')).body).toEqual({ items: [{ agentId: ana.id, ...agentBody() }] });
    expect((await call(ana, 'GET', '/v1/queues')).body).toEqual({ items: [{ queueId, ...queueBody }] });
  });

  it('PUT /v1/routing-policy counts versions, and decisions follow the newest', async () => {
    const policy = {
      selection: 'longest-idle',
      offerTimeoutMs: 5000,
      wrapUpMs: 0,
      closingWindowMs: 0,
      awayAfterMissedOffers: null,
    };
    const platform: TestActor = { tenantId, roles: ['platform'] };
    expect(await call(platform, 'PUT', '/v1/routing-policy', policy)).toMatchObject({ status: 200, body: { version: '1' } });
    expect(await call(platform, 'PUT', '/v1/routing-policy', policy)).toMatchObject({ status: 200, body: { version: '2' } });
    const customer = await offered();
    const { body } = await call(ana, 'GET', `/v1/decisions/${customer.conversationId}`);
    expect((body as { items: object[] }).items[0]).toMatchObject({ policyVersion: 2 });
  });

  it('refuses what is not valid, by field, and whoever may not', async () => {
    const wrong = await call(supervisor, 'PUT', `/v1/agents/${ana.id}`, { ...agentBody(), capacity: -1 });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: 'body.capacity' }] } });
    expect((await call(supervisor, 'PUT', `/v1/agents/${ana.id}`, agentBody(), { 'idempotency-key': null })).status).toBe(400);
    expect((await call(ana, 'PUT', `/v1/agents/${ana.id}`, agentBody())).status).toBe(403);
    expect((await call(ana, 'GET', '/v1/board')).status).toBe(403);
    expect((await call(supervisor, 'GET', '/v1/me')).status).toBe(403);
  });

  it('the feed points at what happened', async () => {
    const { body } = await call(ana, 'GET', '/v1/feed');
    let { cursor } = body as { cursor: string };
    const customer = await offered();
    const page: { type: string; streamId: string }[] = [];
    await until(async () => {
      const { body: next } = await call(ana, 'GET', `/v1/feed?cursor=${encodeURIComponent(cursor)}`);
      page.push(...(next as { items: typeof page }).items);
      ({ cursor } = next as { cursor: string });
      return page.some(({ type }) => type === 'reservation.offered.v1');
    });
    expect(page.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['queue.defined.v1', 'agent.defined.v1', 'agent.presence.changed.v1', 'task.queued.v1']),
    );
    expect(JSON.stringify(page)).not.toContain(customer.subjectId);
  });
});

describe('what conversations tell', () => {
  it('a reopened conversation waits in the queue of its number, in its language', async () => {
    const customer = await offered();
    await teller.closed(customer, null);
    await until(async () => (await me(ana)).load === 0);
    const windowExpiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await teller.tell(customer, 'conversation.reopened.v1', {
      reopenedBy: 'AAAAAAAAAAAAAAAAAAAAAA',
      reopenedAt: new Date().toISOString(),
      windowExpiresAt,
    });
    expect(await offerTo(ana)).toMatchObject({ queueId, language: 'pt', windowExpiresAt });
  });

  it('a transfer brings along the window that moved meanwhile', async () => {
    const customer = await offered();
    const { reservationId } = await offerTo(ana);
    await call(ana, 'POST', `/v1/offers/${reservationId}/accept`, {});
    const expiresAt = new Date(Date.now() + 100_000_000).toISOString();
    await teller.tell(customer, 'conversation.window.opened.v1', {
      phoneNumberId: customer.phoneNumberId,
      openedAt: new Date().toISOString(),
      expiresAt,
      causeRef: 'AAAAAAAAAAAAAAAAAAAAAA',
    });
    await teller.transferRequested(customer, ana.id, { queueId });
    await until(async () => (await me(ana)).tasks.length === 0);
    const board = (await call(supervisor, 'GET', '/v1/board')).body as Board;
    expect(board.waiting).toMatchObject([{ taskId: customer.conversationId, queueId, windowExpiresAt: expiresAt }]);
  });

  it('what is told twice happens once', async () => {
    const customer = await offered();
    const records = log.records('conversation.events.v1').filter(({ key }) => key?.toString() === customer.subjectId);
    await log.append(records.map(({ topic, key, value }) => ({ topic, key: key!.toString(), value })));
    const other = teller.customer();
    await teller.opened([other], { language: 'pt' });
    await until(async () => (await me(ana)).offers.length === 2);
    const { body } = await call(ana, 'GET', `/v1/decisions/${customer.conversationId}`);
    expect((body as { items: unknown[] }).items).toHaveLength(1);
  });
});
