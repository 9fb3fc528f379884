import type { AccessPage, Board, InboxRow, Statement, StatementList } from '@centralita/contracts';
import { Random } from '@centralita/tool-simulator';
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { ScriptedAgent, type AgentJournal } from './agent.js';
import { ApiClient, type Exchange } from './client.js';
import type { DayContext, TenantContext } from './context.js';
import { planDay, type CustomerScript, type DayPlan } from './plan.js';
import { SimulatorClient } from './simulator-client.js';

/** Messages of one customer to one number, in the order in which they were acknowledged; the inner order of an unordered burst is open. */
export type SentBurst = {
  readonly customerId: string;
  readonly phoneNumberId: string;
  readonly order: number;
  readonly wamids: readonly string[];
  readonly ordered: boolean;
};

export type BadRequest = { readonly what: string; readonly expected: number; readonly status: number };

export type DayResult = {
  readonly plan: DayPlan;
  readonly sent: readonly SentBurst[];
  readonly badRequests: readonly BadRequest[];
  readonly exchanges: readonly Exchange[];
  readonly agents: readonly AgentJournal[];
  /** Signed-in people by user name, for the checks. */
  readonly people: ReadonlyMap<string, ApiClient>;
  readonly startedAt: string;
  readonly messagesPerSecond: number;
  readonly inboundSeconds: number;
  readonly workedSeconds: number;
};

const CUSTOMERS_AT_ONCE = 16;
const languages = ['es', 'en', 'pt'] as const;

/** Plays one day: customers write, agents work, supervisors, officers and clerks look. Resolves when the desks are empty. */
export const playDay = async (context: DayContext): Promise<DayResult> => {
  const startedAt = new Date().toISOString();
  const plan = planDay(context.seed, context.customers, context.numbers);
  const simulator = new SimulatorClient(context.simulatorUrl);
  await simulator.populate(plan);

  const exchanges: Exchange[] = [];
  const people = new Map<string, ApiClient>();
  for (const tenant of context.tenants)
    for (const login of [...tenant.agents, tenant.supervisor, tenant.compliance, tenant.billing])
      people.set(login.username, await ApiClient.signIn(context.gatewayUrl, login, exchanges, context.patience));
  const signedIn = (username: string): ApiClient => {
    const client = people.get(username);
    if (!client) throw new RangeError(`${username} is not signed in`);
    return client;
  };
  context.progress(`${people.size} people signed in`);

  let written = false;
  const random = new Random(context.seed, 'agents');
  const agents = context.tenants.flatMap((tenant) =>
    tenant.agents.map(
      (login, index) =>
        new ScriptedAgent(
          signedIn(login.username),
          random.fork(`agent:${login.username}`),
          languages[index % languages.length] ?? 'es',
          random.fork(login.username).shuffle(tenant.queues.map((queue) => queue.queueId)),
        ),
    ),
  );
  const started = Date.now();
  let idle = false;
  const work = Promise.all(agents.map((agent) => agent.work(() => idle)));
  // Awaited below; until then, and when the day is broken off, a failure must not end the process, which still has to stop the others.
  work.catch(() => undefined);

  const badRequests = await sendBadRequests(simulator, context);
  const sent: SentBurst[] = [];
  const fields = (async () => {
    for (const field of plan.fields) await simulator.tell(field);
  })();
  fields.catch(() => undefined);
  const reporter = setInterval(
    () =>
      context.progress(
        `${sent.length} of ${plan.scripts.reduce((total, script) => total + script.bursts.length, 0)} bursts written`,
      ),
    5000,
  );
  try {
    let arrived = 0;
    await inParallel(plan.scripts, CUSTOMERS_AT_ONCE, async (script) => {
      await pause(Math.max(0, started + (context.arrivalMs ?? 0) * arrived++ - Date.now()));
      await writeAll(simulator, script, sent);
    });
    await fields;
    written = true;
    const inboundSeconds = (Date.now() - started) / 1000;
    context.progress(`customers are done, agents finish`);
    await Promise.race([untilDesksAreEmpty(context, signedIn), work.then(() => undefined)]);
    idle = true;
    await work;
    const workedSeconds = (Date.now() - started) / 1000;
    await untilNothingIsPending(simulator);
    for (const tenant of context.tenants) await othersLook(tenant, signedIn);
    const items = (await simulator.journal()).inbound.length;
    return {
      plan,
      sent,
      badRequests,
      exchanges,
      agents: agents.map((agent) => agent.journal),
      people,
      startedAt,
      messagesPerSecond: items / workedSeconds,
      inboundSeconds,
      workedSeconds,
    };
  } finally {
    idle = true;
    clearInterval(reporter);
    if (!written) await Promise.allSettled([work]);
  }
};

const writeAll = async (simulator: SimulatorClient, script: CustomerScript, sent: SentBurst[]): Promise<void> => {
  for (const [order, burst] of script.bursts.entries()) {
    const wamids = await simulator.write(script.phoneNumberId, burst);
    sent.push({ customerId: script.customer.id, phoneNumberId: script.phoneNumberId, order, wamids, ordered: !burst.spread });
  }
};

/** Requests that must change nothing, or be kept as unknown: forged, unsigned, doubly signed, too big, not JSON, not the envelope. */
const sendBadRequests = async (simulator: SimulatorClient, context: DayContext): Promise<BadRequest[]> => {
  const [first] = context.tenants;
  if (!first) return [];
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [] });
  const foreign = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: 'not-registered',
        changes: [
          {
            field: 'messages',
            value: { metadata: { phone_number_id: 'not-registered' }, messages: [{ id: 'wamid.x', type: 'text' }] },
          },
        ],
      },
    ],
  });
  const cases = [
    { what: 'forged signature', body, signature: 'forged', expected: 401 },
    { what: 'missing signature', body, signature: 'missing', expected: 401 },
    { what: 'doubled signature', body, signature: 'doubled', expected: 401 },
    { what: 'over 3 MiB', body: ' '.repeat(3 * 1024 * 1024 + 1), signature: 'valid', expected: 413 },
    { what: 'signed but not JSON', body: 'this is not JSON', signature: 'valid', expected: 200 },
    { what: 'signed but not the envelope', body: '{"object":"page"}', signature: 'valid', expected: 200 },
    { what: 'an account that the app has not registered', body: foreign, signature: 'valid', expected: 200 },
  ] as const;
  const results: BadRequest[] = [];
  for (const { what, body: bytes, signature, expected } of cases)
    results.push({ what, expected, status: await simulator.raw(first.app, bytes, signature) });
  return results;
};

/** The desks are empty when no task waits and nobody holds one; a day that stands still for a while is over too, with tasks left waiting. */
const untilDesksAreEmpty = async (context: DayContext, signedIn: (username: string) => ApiClient): Promise<void> => {
  const standstill = 20_000;
  let last = '';
  let since = Date.now();
  for (;;) {
    if (context.caughtUp && !(await context.caughtUp())) {
      since = Date.now();
      await pause(500);
      continue;
    }
    const boards = await Promise.all(
      context.tenants.map((tenant) => signedIn(tenant.supervisor.username).get<Board>('/v1/board')),
    );
    const waiting = boards.reduce((total, { body }) => total + body.waiting.length, 0);
    const held = boards.reduce(
      (total, { body }) => total + body.agents.reduce((load, agent) => load + agent.load + agent.offers, 0),
      0,
    );
    if (waiting === 0 && held === 0) return;
    const now = JSON.stringify(
      boards.map(({ body }) => [body.waiting.map((task) => task.taskId), body.agents.map((agent) => [agent.load, agent.offers])]),
    );
    if (now !== last) [last, since] = [now, Date.now()];
    if (Date.now() - since > standstill) return;
    context.progress(`${waiting} waiting, ${held} on the desks`);
    await pause(500);
  }
};

const untilNothingIsPending = async (simulator: SimulatorClient): Promise<void> => {
  for (;;) {
    const { webhooks, statuses } = await simulator.pending();
    if (webhooks === 0 && statuses === 0) return;
    await pause(100);
  }
};

/** Supervisors look at the whole inbox, officers at the access log, clerks at the bill: their reads are records too. */
const othersLook = async (tenant: TenantContext, signedIn: (username: string) => ApiClient): Promise<void> => {
  const supervisor = signedIn(tenant.supervisor.username);
  const { body: inbox } = await supervisor.get<{ items: InboxRow[] }>('/v1/inbox?view=closed&limit=50');
  for (const row of inbox.items.slice(0, 3)) await supervisor.get(`/v1/conversations/${row.conversationId}/messages`);
  const officer = signedIn(tenant.compliance.username);
  const subject = inbox.items[0]?.subjectId;
  await officer.get<z.infer<typeof AccessPage>>(`/v1/access-records?limit=20${subject ? `&subject=${subject}` : ''}`);
  const { body: statements } = await signedIn(tenant.billing.username).get<z.infer<typeof StatementList>>('/v1/statements');
  const clerk = signedIn(tenant.billing.username);
  for (const { wabaId, month } of statements.items) {
    const { body: statement } = await clerk.get<Statement>(`/v1/statements/${wabaId}/${month}`);
    for (const line of statement.lines)
      await clerk.get(`/v1/statements/${wabaId}/${month}/lines/${encodeURIComponent(line.lineId)}/usage?limit=5`);
  }
};

const inParallel = async <Item>(items: readonly Item[], limit: number, work: (item: Item) => Promise<void>): Promise<void> => {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
};
