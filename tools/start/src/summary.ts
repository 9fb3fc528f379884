import type { CheckResult, StartContext } from './context.js';
import type { DayResult } from './day/play.js';
import { automatic } from './observe/traffic.js';
import { seedPassword } from './seed/tenants.js';

const table = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
};

/** What happened, as counted by those who did it: customers' phones and agents. */
export const daySummary = (day: DayResult): string[] => {
  const count = (pick: (agent: DayResult['agents'][number]) => readonly unknown[]): string =>
    String(day.agents.reduce((total, agent) => total + pick(agent).length, 0));
  const disclosed = day.exchanges.filter((exchange) => exchange.accessRecord !== null && exchange.status < 400).length;
  return table([
    ['customers', String(day.plan.customers.length)],
    ['messages written', String(day.sent.reduce((total, burst) => total + burst.wamids.length, 0))],
    [
      'offers accepted, declined, missed',
      `${count((agent) => agent.accepted)}, ${count((agent) => agent.declined)}, ${count((agent) => agent.ignored)}`,
    ],
    ['replies sent', count((agent) => agent.replies.filter((reply) => reply.replyId !== null))],
    ['replies refused (window closed, …)', count((agent) => agent.replies.filter((reply) => reply.refusedWith !== null))],
    [
      'notes, transfers, conversations closed',
      `${count((agent) => agent.notes)}, ${count((agent) => agent.transferred)}, ${count((agent) => agent.closed)}`,
    ],
    ['answers with customer data, all recorded', String(disclosed)],
    ['inbound items per second', day.messagesPerSecond.toFixed(1)],
  ]);
};

const quantile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);

/** How long people waited for each kind of request, busiest first: identifiers are left out of the path. */
export const waitingTimes = (day: DayResult): string[] => {
  const byRoute = Map.groupBy(
    day.exchanges,
    ({ method, path }) => `${method} ${path.replace(/\?.*$/, '').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id')}`,
  );
  const routes = [...byRoute]
    .map(([route, exchanges]) => ({ route, waits: exchanges.map((exchange) => exchange.milliseconds).sort((a, b) => a - b) }))
    .sort((a, b) => b.waits.length - a.waits.length)
    .slice(0, 12);
  return table(
    routes.map(({ route, waits }) => [
      route,
      `${waits.length} calls, half within ${quantile(waits, 0.5)} ms, 99 % within ${quantile(waits, 0.99)} ms`,
    ]),
  );
};

/** Where to go, and as whom. */
export const addresses = (context: StartContext, seeded: boolean, observe: boolean): string[] => {
  const names = context.seeds.flatMap((seed) => seed.users.map((user) => user.username));
  return [
    ...table([
      ['console', context.gatewayUrl],
      ...(observe ? [['figures of all processes', `${context.gatewayUrl}/platform`] as const] : []),
      ['customers’ phones (write as a customer)', context.simulatorUrl],
      ['API description', `${context.gatewayUrl}/api/openapi.json`],
      ['log files', context.folders.logs],
    ]),
    ...(seeded ? [`  sign in with one click, or as ${names[0]} … ${names.at(-1)} with the password "${seedPassword}"`] : []),
  ];
};

/** Where the platform team looks, and who keeps the figures moving. */
export const observed = (context: StartContext, seeded: boolean): string[] =>
  seeded
    ? [
        `  to see the figures, sign in as ${context.seeds.map((seed) => seed.users.find(({ roles }) => roles.includes('platform'))?.username).join(' or ')}`,
        `  a customer writes every few seconds; ${context.seeds.flatMap((seed) => automatic(seed).map(({ username }) => username)).join(', ')} answer by themselves`,
      ]
    : ['  nobody writes by itself: the launcher can sign nobody in'];

/** What a start with somebody's own identity provider leaves to its users. */
export const unseeded = (context: StartContext): string[] => [
  '  nothing is seeded and no day is played: the launcher can sign nobody in at this OIDC_ISSUER',
  `  its users need the claims tenant (${context.seeds.map((seed) => `${seed.tenantId}: ${seed.name}`).join(', ')}), roles and label`,
  '  one with the role platform defines queues, agents and rate cards over the API before agents can work',
];

export const checkLines = (checks: readonly CheckResult[]): string[] =>
  checks.map(({ id, name, status, figures }) => {
    const shown = Object.entries(figures).map(
      ([label, value]) => `${label}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return `${status} ${String(id).padStart(2)} ${name}: ${shown.join(' ')}`;
  });
