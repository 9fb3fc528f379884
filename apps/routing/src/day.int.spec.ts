import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeEvent, type CloudEvent, type Me } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { startTestService, type TestActor, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConversationTeller, type Customer } from './scenario.spec.js';
import { routingService } from './service.js';

/** A small generator, so that a failing day can be played again. */
const randomFrom = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

type Answer = Awaited<ReturnType<TestService<unknown>['call']>>;

const AGENTS = 12;
const CUSTOMERS = 100;

let database: TestDatabase;
let log: MemoryLog;
let services: TestService<unknown>[];
beforeAll(async () => {
  database = await createTestDatabase({ service: 'routing' });
  log = createMemoryLog();
  services = [await startTestService({ ...routingService, database, log, env: { ROUTING_LEASE_MS: '1000' } })];
});
afterAll(async () => {
  for (const service of services) await service.close();
  await log.close();
  await database.drop();
});

const routingEvents = (): CloudEvent[] => {
  const events = log.records('routing.events.v1').map(({ value }) => {
    const decoded = decodeEvent(value);
    if (!('event' in decoded)) throw new Error(decoded.detail);
    return decoded.event;
  });
  // A relay may send twice; the position names the event.
  const once = new Map(events.map((event) => [Number(event.domainseq), event]));
  return [...once.values()].sort((a, b) => Number(a.domainseq) - Number(b.domainseq));
};

type Data = {
  taskId: string;
  agentId: string;
  decisionId: string;
  chosenAgentId: string | null;
  candidates: { agentId: string; reason: string; load: number; capacity: number }[];
};

describe('a day with twelve agents and a hundred conversations', () => {
  it('gives every conversation to one agent at a time, within capacity, with a reason, across a change of writers', async () => {
    const tenantId = randomUUID();
    const random = randomFrom(20261123);
    // As the gateway does: an instance that goes away in the middle of a request is asked no more, the next one is, with the same key.
    const call = async (actor: TestActor, method: string, path: string, body?: unknown): Promise<Answer> => {
      const headers: Record<string, string> = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
      const ask = () => services[0]!.call(actor, method, path, { headers, ...(body === undefined ? {} : { body }) });
      return ask().catch(ask);
    };
    const platform: TestActor = { tenantId, roles: ['platform'] };
    const teller = new ConversationTeller(log, tenantId);

    const queues = { front: randomUUID(), tax: randomUUID() };
    const policy = {
      selection: 'longest-idle',
      offerTimeoutMs: 400,
      wrapUpMs: 30,
      closingWindowMs: 7_200_000,
      awayAfterMissedOffers: 3,
    };
    expect((await call(platform, 'PUT', '/v1/routing-policy', policy)).status).toBe(200);
    for (const [name, queueId] of Object.entries(queues))
      await call(platform, 'PUT', `/v1/queues/${queueId}`, {
        name,
        phoneNumberIds: name === 'front' ? ['100', '200'] : [],
        requiredSkills: name === 'tax' ? ['tax'] : [],
        languageSkill: name === 'front',
        relaxLanguageAfterMs: 300,
        priority: name === 'tax' ? 1 : 0,
      });
    const agents = Array.from({ length: AGENTS }, (_, index) => {
      const id = randomUUID();
      const actor: TestActor = { tenantId, roles: ['agent'], id };
      return { id, actor, capacity: 1 + (index % 3), skills: [['lang:es'], ['lang:pt'], ['lang:es', 'tax']][index % 3]! };
    });
    for (const [index, agent] of agents.entries()) {
      const body = {
        label: `Agent ${index + 1}`,
        skills: agent.skills,
        queueIds: Object.values(queues),
        capacity: agent.capacity,
      };
      expect((await call(platform, 'PUT', `/v1/agents/${agent.id}`, body)).status).toBe(200);
      expect((await call(agent.actor, 'PUT', '/v1/me/presence', { presence: 'online' })).status).toBe(200);
    }

    const customers: Customer[] = [];
    for (let index = 0; index < CUSTOMERS; index += 1) {
      const customer = teller.customer(index % 5 === 0 ? '200' : '100');
      customers.push(customer);
      await teller.opened([customer], { language: ['es', 'pt', 'en', null][index % 4] as string });
    }
    const byId = new Map(customers.map((customer) => [customer.conversationId, customer]));
    const finished = new Set<string>();
    const transferred = new Set<string>();
    const ignored = new Set<string>();

    // Agents take turns: look, answer, work, until everybody was served.
    const workDay = async (agent: (typeof agents)[number]): Promise<void> => {
      // A look every so often, as a person glances at the screen.
      for (; finished.size < CUSTOMERS; await pause(25)) {
        const me = (await call(agent.actor, 'GET', '/v1/me')).body as Me;
        expect(me.load).toBeLessThanOrEqual(me.capacity);
        if (me.presence !== 'online') await call(agent.actor, 'PUT', '/v1/me/presence', { presence: 'online' });
        for (const offer of me.offers) {
          if (ignored.has(offer.reservationId)) continue;
          const chance = random();
          // One in ten is left to expire, however often it is looked at.
          if (chance < 0.1) {
            ignored.add(offer.reservationId);
            continue;
          }
          const verb = chance < 0.2 ? 'decline' : 'accept';
          const answer = await call(agent.actor, 'POST', `/v1/offers/${offer.reservationId}/${verb}`, {});
          expect([200, 410]).toContain(answer.status);
        }
        for (const task of me.tasks) {
          const customer = byId.get(task.taskId)!;
          if (task.state !== 'assigned' || finished.has(task.taskId)) continue;
          if (!transferred.has(task.taskId) && random() < 0.15) {
            transferred.add(task.taskId);
            const to = random() < 0.5 ? { queueId: queues.tax } : { agentId: agents[Math.floor(random() * AGENTS)]!.id };
            await teller.transferRequested(customer, agent.id, to);
          } else {
            finished.add(task.taskId);
            await teller.closed(customer, agent.id);
          }
        }
      }
    };
    const work = Promise.all(agents.map(workDay));
    // In the middle of it a second instance starts and the first one leaves: leases, inputs and offers go on.
    await until(() => finished.size > 30, { timeoutMs: 60_000 });
    const successor = await startTestService({
      ...routingService,
      database,
      log,
      migrate: false,
      env: { ROUTING_LEASE_MS: '1000' },
    });
    services.unshift(successor);
    await services.pop()!.close();
    await work;
    const closed = () => routingEvents().filter((event) => event.type === 'task.completed.v1').length;
    await until(() => closed() === CUSTOMERS, { timeoutMs: 20_000, describe: () => `all to end: ${closed()}` });

    const events = routingEvents();
    expect(events.map((event) => Number(event.domainseq))).toEqual(events.map((_, index) => index + 1));
    const capacity = new Map(agents.map((agent) => [agent.id, agent.capacity]));
    const holder = new Map<string, string>();
    const load = (agentId: string) => [...holder.values()].filter((id) => id === agentId).length;
    const decisions = new Map<string, Data>();
    let assigned = 0;
    for (const { type, data } of events as { type: string; data: Data }[]) {
      if (type === 'routing.decided.v1') {
        decisions.set(data.decisionId, data);
        expect(data.candidates).toHaveLength(AGENTS);
      }
      if (type === 'reservation.offered.v1') {
        expect(holder.has(data.taskId)).toBe(false);
        expect(decisions.get(data.decisionId)).toMatchObject({ taskId: data.taskId, chosenAgentId: data.agentId });
        holder.set(data.taskId, data.agentId);
      }
      if (type === 'task.assigned.v1') {
        expect(holder.get(data.taskId)).toBe(data.agentId);
        const winner = decisions.get(data.decisionId)?.candidates.find(({ reason }) => reason === 'chosen');
        expect(winner?.agentId).toBe(data.agentId);
        assigned += 1;
      }
      if (/^(reservation\.(declined|expired|rescinded)|task\.(transferred|completed|released))\.v1$/.test(type))
        holder.delete(data.taskId);
      for (const agent of agents) expect(load(agent.id)).toBeLessThanOrEqual(capacity.get(agent.id)!);
    }
    expect(assigned).toBeGreaterThanOrEqual(CUSTOMERS);
    const types = new Set(events.map((event) => event.type));
    for (const type of ['reservation.declined.v1', 'reservation.expired.v1', 'task.transferred.v1', 'task.wrapping.v1'])
      expect(types).toContain(type);
    const board = (await call({ tenantId, roles: ['supervisor'] }, 'GET', '/v1/board')).body as { waiting: unknown[] };
    expect(board.waiting).toEqual([]);
  }, 120_000);
});
