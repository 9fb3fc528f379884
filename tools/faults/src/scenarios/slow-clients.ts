import { get } from 'node:http';
import { until } from '@centralita/testing-engines';
import type { Delivery, Random } from '@centralita/tool-simulator';
import type { StartContext } from '@centralita/tool-start';
import { makeWamid } from '@centralita/whatsapp';
import { Provider, type Told } from '../harness/provider.js';
import { SlowClient, type Outcome, type SlowKind } from '../harness/slow-client.js';
import { untilEvents } from '../harness/watch.js';
import type { Aftermath, Scenario } from '../scenario.js';

const MIB = 1024 * 1024;
/** How many stop where, and the answers that say so. Silent ones are closed with or without a word. */
const crowd: readonly { readonly kind: SlowKind; readonly count: number; readonly answers: readonly number[] }[] = [
  { kind: 'silent', count: 200, answers: [0, 408] },
  { kind: 'in its headers', count: 300, answers: [408] },
  // Big ones are more than the receiver agrees to hold: whoever has been there longest is let go before its time.
  { kind: 'in its body', count: 250, answers: [408, 429] },
  { kind: 'in a big body', count: 300, answers: [408, 429] },
  { kind: 'byte by byte', count: 240, answers: [408, 429] },
  { kind: 'too big', count: 10, answers: [413] },
];
/** Genuine webhooks under way at the same time. */
const SENDERS = 4;
/**
 * How many come in the same instant. A process takes one new connection each time round its loop, so that whoever comes behind a thousand
 * at once waits for a thousand rounds; holding such a rush back is up to the load balancer.
 */
const TOGETHER = 50;
/** The receiver gives a delivery ten seconds from when it was let in, and looks every second; the rest is the wait at the door of a busy machine. */
const LET_GO_MS = 30_000;
/** The crowd sends about 600 MiB of bodies that never end. */
const MOST_GROWTH = 256 * MIB;
/** Longest answer to a genuine webhook while the crowd is there; the provider gives up after ten seconds. */
const IN_TIME_MS = 5000;

type Wave = {
  readonly outcomes: readonly Outcome[];
  readonly growth: number;
  readonly atOnce: number;
};

const messageFrom = (sender: number, number: number, random: Random): Told => {
  const phone = `5988${sender}${String(number).padStart(6, '0')}`;
  const item = {
    from: phone,
    id: makeWamid(phone, random.bytes(9)),
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: 'text',
    text: { body: `in time ${random.digits(12)}` },
  };
  return { item, contact: { profile: { name: 'Somebody quick' }, wa_id: phone } };
};

const residentBytes = async (context: StartContext): Promise<number> => {
  const text = await (await fetch(context.metricsUrls['ingest-webhook'] ?? '')).text();
  const found = /^process_resident_memory_bytes\S* (\S+)$/m.exec(text)?.[1];
  if (found === undefined) throw new Error('the webhook does not say how much memory it has');
  return Number(found);
};

/** Resolves when everybody who has come before is let in: a server takes one connection after the other. */
const untilLetIn = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/webhooks', agent: false }, (response) => response.resume().on('end', resolve)).on(
      'error',
      reject,
    );
  });

const wave = async (context: StartContext, random: Random): Promise<Wave> => {
  const port = Number(new URL(context.webhookUrl).port);
  const app = random.pick(context.tenants).app;
  const before = await residentBytes(context);
  const all = random.shuffle(crowd.flatMap(({ kind, count }) => Array.from({ length: count }, () => kind)));
  // The big ones come last: they are why others are let go before their time.
  const comers = [...all.filter((kind) => kind !== 'in a big body'), ...all.filter((kind) => kind === 'in a big body')];
  const clients: SlowClient[] = [];
  let [most, atOnce] = [before, 0];
  try {
    while (clients.length < comers.length) {
      for (const kind of comers.slice(clients.length, clients.length + TOGETHER)) {
        const sends = kind === 'in a big body' ? random.integer(MIB, 3 * MIB - 1) : random.integer(1, 4096);
        clients.push(new SlowClient(port, app, kind, sends));
      }
      await untilLetIn(port);
      atOnce = Math.max(atOnce, clients.filter(({ outcome }) => outcome === null).length);
    }
    await until(
      async () => {
        most = Math.max(most, await residentBytes(context));
        return clients.every(({ outcome }) => outcome !== null);
      },
      {
        timeoutMs: 3 * LET_GO_MS,
        describe: () => `${clients.filter(({ outcome }) => outcome === null).length} slow clients to be let go`,
      },
    );
    return { outcomes: clients.flatMap(({ outcome }) => outcome ?? []), growth: most - before, atOnce };
  } finally {
    for (const client of clients) client.close();
  }
};

const report = (print: (line: string) => void, { outcomes, growth, atOnce }: Wave): void => {
  const statuses = [...Map.groupBy(outcomes, ({ kind, status }) => `${status} ${kind}`)];
  print(`${atOnce} at once: ${statuses.map(([what, list]) => `${list.length} x ${what}`).join(', ')}`);
  print(`  the webhook grew by ${Math.round(growth / MIB)} MiB`);
};

/** What is wrong with how the crowd was treated. */
const unfair = ({ outcomes, growth }: Wave): string[] => {
  const problems = crowd.flatMap(({ kind, answers }) =>
    outcomes
      .filter((outcome) => outcome.kind === kind)
      .flatMap(({ status, afterMs }) => [
        ...(answers.includes(status) ? [] : [`a client that is ${kind} was answered ${status}`]),
        ...(afterMs > LET_GO_MS ? [`a client that is ${kind} was let go after ${Math.round(afterMs)} ms only`] : []),
      ]),
  );
  return growth > MOST_GROWTH ? [...problems, `the webhook grew by ${Math.round(growth / MIB)} MiB`] : problems;
};

const aftermath = (what: string, examined: number, problems: readonly string[], deliveries: readonly Delivery[]): Aftermath => ({
  what,
  deliveries,
  examined,
  judge: () => Promise.resolve(problems),
});

/** Nobody who cannot finish a request may keep those out who can, nor fill the memory: once amid the day, once beside few and measured. */
export const slowClients: Scenario = {
  name: 'slow clients',
  what: 'a thousand connections that stop half-way or send a byte a second stand at the webhook, twice',
  customers: 40,
  bounded: false,
  faults: async ({ context }, random, print) => {
    await untilEvents(context, 'conversation', random.integer(1, 20));
    const amid = await wave(context, random);
    report(print, amid);
    return aftermath('slow clients are let go with an answer, amid the day', amid.outcomes.length, unfair(amid), []);
  },
  afterwards: async ({ context }, random, print) => {
    const provider = await Provider.of(context, random.pick(context.numbers));
    let over = false;
    const senders = Array.from({ length: SENDERS }, async (_, sender) => {
      for (let number = 0; !over; number += 1) await provider.deliver(context.webhookUrl, [messageFrom(sender, number, random)]);
    });
    const beside = await wave(context, random).finally(() => (over = true));
    await Promise.all(senders);
    report(print, beside);
    const { deliveries } = provider;
    const times = deliveries.map(({ from, at }) => Date.parse(at) - Date.parse(from)).sort((left, right) => left - right);
    const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0;
    print(
      `  ${times.length} genuine webhooks: half of them within ${at(0.5)} ms, 99% within ${at(0.99)} ms, all within ${at(1)} ms`,
    );
    const late = times.filter((ms) => ms > IN_TIME_MS).map((ms) => `a genuine webhook was answered after ${ms} ms`);
    const refused = deliveries
      .filter(({ status }) => status !== 200)
      .map(({ status }) => `a genuine webhook was answered ${status}`);
    return aftermath(
      'slow clients are let go with an answer, and genuine webhooks are answered in time beside them',
      beside.outcomes.length + times.length,
      [...unfair(beside), ...late, ...refused],
      deliveries,
    );
  },
};
