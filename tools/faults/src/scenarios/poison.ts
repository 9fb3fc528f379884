import { Leaf, schemaUri, type CloudEvent, type ParkedKeyView, type Topic } from '@centralita/contracts';
import { eventRecord, openEventLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import type { History } from '@centralita/testing-kit';
import type { Random } from '@centralita/tool-simulator';
import type { Facts } from '@centralita/tool-start';
import { v5 } from 'uuid';
import { withAdmin } from '../collect/instruments.js';
import { Operator, type Consuming, type Said } from '../harness/operator.js';
import type { Stack } from '../harness/stack.js';
import { PATIENCE_MS, untilEvents, untilRow } from '../harness/watch.js';
import type { Aftermath, Scenario } from '../scenario.js';

/** How many events of other keys must be recorded while a key is parked, before anybody decides about it. */
const MEANWHILE = 15;

type Customer = { readonly tenant_id: string; readonly key: string };
type Print = (line: string) => void;

/** What was parked where, and what became of it: held against the events that tell it. */
type Operated = {
  readonly process: Consuming;
  readonly key: string;
  readonly actorId: string;
  readonly end: 'retried' | 'skipped';
};

/** Records that can never be applied, and a bug that hits some customers until it is mended. */
export const poison: Scenario = {
  name: 'poison record',
  what: 'records that cannot be applied, and a bug, park the keys of some customers; the others go on; an operator retries and skips',
  customers: 40,
  bounded: false,
  faults: async (stack, random, print) => {
    await untilEvents(stack.context, 'conversation', random.integer(10, 40));
    const [first, second] = await newest(stack);
    const operated = await Promise.all([
      invalid(stack, first, random.fork('invalid'), print),
      unknown(stack, second, random.fork('unknown'), print),
      bug(stack, random.fork('bug'), print),
    ]);
    return aftermath(operated.flat());
  },
};

/** The two customers who came last: most of their day is still to come. */
const newest = async ({ context }: Stack): Promise<readonly [Customer, Customer]> => {
  const opened = `select distinct on (key) tenant_id, key, recorded_at from events where type = 'conversation.opened.v1'`;
  await untilRow(context, 'conversation', 'two customers', `select 1 as two from (${opened}) o having count(*) >= 2`);
  const rows = await withAdmin(context, 'conversation', async (client) => {
    const found = await client.query<Customer>(`select tenant_id, key from (${opened}) o order by recorded_at desc limit 2`);
    return found.rows;
  });
  const [first, second] = rows;
  if (!first || !second) throw new Error('there are no two customers');
  return [first, second];
};

/** Bytes that look like an event of a customer and are none that anybody knows; not by any service, as whoever wrote past them would. */
const put = async ({ context }: Stack, topic: Topic, { tenant_id, key }: Customer, type: string, id: string): Promise<void> => {
  const now = new Date().toISOString();
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: '/faults/poison',
    type,
    time: now,
    subject: key,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: tenant_id,
    recordedtime: now,
    correlationid: id,
    causationid: null,
    data: { poison: true },
  };
  const log = await openEventLog({ brokers: [...context.brokers], clientId: 'faults' });
  try {
    await log.append([eventRecord({ topic, key, value: Buffer.from(JSON.stringify(event)) })]);
  } finally {
    await log.close();
  }
};

const untilParked = (
  operator: Operator,
  process: Consuming,
  key: string,
  enough: (view: ParkedKeyView) => boolean = () => true,
): Promise<ParkedKeyView> =>
  until(async () => (await operator.list(process)).find((view) => view.key === key && enough(view)) ?? null, {
    timeoutMs: PATIENCE_MS,
    describe: `${process} to have key ${key} parked as it should`,
  });

const mustSay = ({ exitCode, output }: Said, expected: number, text: RegExp): void => {
  if (exitCode !== expected || !text.test(output))
    throw new Error(`expected ${expected} and ${text}, got ${exitCode}: ${output}`);
};

/** Other keys of the database's service are recorded after this moment, as if nothing were parked. */
const othersGoOn = async (
  { context }: Stack,
  database: 'conversation' | 'routing' | 'billing',
  keys: readonly string[],
  since: string,
  count = MEANWHILE,
): Promise<void> => {
  await untilRow(
    context,
    database,
    `${count} events of other keys in ${database} while ${keys.join()} are parked`,
    'select 1 as enough from events where recorded_at > $1 and key <> all ($2::uuid[]) offset $3 limit 1',
    [since, keys, count - 1],
  );
};

/** Retry changes nothing, since nothing has been mended; skip lets the customer go on. */
const giveUp = async (operator: Operator, process: Consuming, { key, code }: ParkedKeyView, print: Print): Promise<Operated> => {
  mustSay(await operator.retry(process, key), 1, new RegExp(`still parked, the next record fails with ${code}`));
  await untilParked(operator, process, key);
  const skipped = await operator.skip(process, key);
  mustSay(skipped, 0, /the key is free/);
  print(`${process}: retried in vain (${code}); ${skipped.output.trim()}`);
  return { process, key, actorId: operator.actorId, end: 'skipped' };
};

/** A known type with data that break its schema: it hits the groups that need the type. */
const invalid = async (stack: Stack, customer: Customer, random: Random, print: Print): Promise<Operated[]> => {
  const operator = await Operator.signIn(stack, customer.tenant_id);
  await put(stack, 'wa.inbound.v1', customer, 'whatsapp.message.received.v1', v5(random.digits(20), customer.key));
  // Parked on all topics of the group: what routing decides about the customer waits behind what the provider is said to have sent.
  const view = await untilParked(operator, 'conversation', customer.key, ({ topics }) => topics.length > 1);
  print(`conversation holds ${view.topics.map(({ topic, records }) => `${records} of ${topic}`).join(', ')} back`);
  await othersGoOn(stack, 'conversation', [customer.key], view.since);
  const media = await untilParked(operator, 'ingest-media', customer.key);
  return [await giveUp(operator, 'conversation', view, print), await giveUp(operator, 'ingest-media', media, print)];
};

/** A type of a newer build: it hits every group that reads the topic, since nobody can say that it is not needed. */
const unknown = async (stack: Stack, customer: Customer, random: Random, print: Print): Promise<Operated[]> => {
  const operator = await Operator.signIn(stack, customer.tenant_id);
  await put(stack, 'conversation.events.v1', customer, 'conversation.enchanted.v9', v5(random.digits(20), customer.key));
  const hit = ['routing', 'audit-log', 'ingest-sender'] as const;
  const views = await Promise.all(
    hit.map(async (process) => [process, await untilParked(operator, process, customer.key)] as const),
  );
  const [routing] = views;
  await othersGoOn(stack, 'routing', [customer.key], routing?.[1].since ?? '');
  const operated: Operated[] = [];
  for (const [process, view] of random.shuffle(views)) operated.push(await giveUp(operator, process, view, print));
  return operated;
};

/** Billing fails on some customers until it is mended: nothing of theirs may be lost, and nobody else's bill waits. */
const bug = async (stack: Stack, random: Random, print: Print): Promise<Operated[]> => {
  const { context } = stack;
  const [classes, hit] = [3, random.integer(0, 2)];
  await withAdmin(context, 'billing', (client) =>
    client.query(`
      create function public.bug() returns trigger language plpgsql as $$
      begin
        if abs(hashtext(new.subject_key::text)) % ${classes} = ${hit} then raise exception 'a bug'; end if;
        return new;
      end $$;
      create trigger bug before insert on public.usage for each row execute function public.bug();`),
  );
  const operators = await Promise.all(context.tenants.map(({ tenantId }) => Operator.signIn(stack, tenantId)));
  const all = async (): Promise<{ operator: Operator; view: ParkedKeyView }[]> =>
    (
      await Promise.all(operators.map(async (operator) => (await operator.list('billing')).map((view) => ({ operator, view }))))
    ).flat();
  const [parked] = await until(
    async () => {
      const found = (await all()).filter(({ view }) => view.first !== null);
      return found.length > 0 ? found : null;
    },
    { timeoutMs: PATIENCE_MS, describe: 'a key parked by the bug in billing' },
  );
  if (!parked) throw new Error('nothing is parked');
  await othersGoOn(stack, 'billing', [parked.view.key], parked.view.since, 3);
  mustSay(await parked.operator.retry('billing', parked.view.key), 1, /still parked, the next record fails with INTERNAL/);
  // Mended; what came in between is parked and waits for somebody to say so.
  await withAdmin(context, 'billing', (client) => client.query('drop trigger bug on public.usage; drop function public.bug()'));
  const operated: Operated[] = [];
  for (const { operator, view } of await all()) {
    mustSay(await operator.retry('billing', view.key), 0, /the key is free/);
    operated.push({ process: 'billing', key: view.key, actorId: operator.actorId, end: 'retried' });
  }
  print(`billing failed on ${operated.length} customers, ${operated.length} retried after it was mended`);
  return operated;
};

/** Parking, retry and skip are events with the name of the group and of who decided; nothing is parked any more. */
const aftermath = (operated: readonly Operated[]): Aftermath => ({
  what: 'each parked key was operated, as the events tell it, and nothing is left',
  deliveries: [],
  examined: operated.length,
  judge: (facts: Facts, history: History) => {
    const told = {
      parked: facts.of('operations.events.v1', 'record.parked.v1').map(({ event }) => ({ ...event.data, actorId: null })),
      retried: facts.of('operations.events.v1', 'record.retried.v1').map(({ event }) => event.data),
      skipped: facts.of('operations.events.v1', 'record.skipped.v1').map(({ event }) => event.data),
    };
    const problems: string[] = [];
    const has = (events: readonly { group: string; recordKey: string | null }[], { process, key }: Operated): boolean =>
      events.some(({ group, recordKey }) => group === process && recordKey === key);
    for (const one of operated) {
      if (!has(told.parked, one)) problems.push(`${one.process} has no record.parked for ${one.key}`);
      const ends = told[one.end].filter(({ actorId }) => actorId === one.actorId);
      if (!has(ends, one)) problems.push(`${one.process} has no record.${one.end} for ${one.key} by ${one.actorId}`);
    }
    for (const { group, recordKey } of told.parked)
      if (!operated.some(({ process, key }) => process === group && key === recordKey))
        problems.push(`${group} has parked ${recordKey ?? 'an unreadable key'}, which the scenario did not cause`);
    for (const { service, key, to } of history.parkings) if (to === null) problems.push(`${service} has ${key} parked still`);
    // Agents work on what they were given: while the decision is parked in audit-log, nobody may be accused for want of it.
    for (const { event } of facts.of('audit.sequenced.v1', 'audit.leaf.sequenced.v1')) {
      const { verified, recordId } = Leaf.parse(JSON.parse(event.data.leaf));
      if (verified === 'contradicted') problems.push(`access record ${recordId} is said to have had no reason`);
    }
    return Promise.resolve(problems);
  },
});
