import type { History } from '@centralita/testing-kit';
import { factOf, type Random } from '@centralita/tool-simulator';
import type { Facts } from '@centralita/tool-start';
import { makeWamid } from '@centralita/whatsapp';
import { Provider, type Told } from '../harness/provider.js';
import { select } from '../harness/watch.js';
import type { Aftermath, Scenario } from '../scenario.js';

const PEOPLE = 3000;
/** As many webhooks at once and process as the provider opens connections to a small receiver. */
const AT_ONCE = 8;
const MOST_TOGETHER = 3;

type Shows = 'phone' | 'bsuid' | 'both';

/**
 * What the two processes see of a person at the same time. One that shows only the phone and one that shows only the BSUID are missing:
 * seen apart and first, nobody can know that the two are one person.
 */
const views: readonly (readonly [Shows, Shows])[] = [
  ['both', 'both'],
  ['both', 'phone'],
  ['phone', 'both'],
  ['both', 'bsuid'],
  ['bsuid', 'both'],
  ['phone', 'phone'],
  ['bsuid', 'bsuid'],
];

type Person = { readonly phone: string | null; readonly bsuid: string | null; readonly facts: readonly string[] };
/** New people, some of whom share a webhook, in another order at each process; and what comes of them later, to one of the two. */
type Race = {
  readonly first: readonly Told[];
  readonly second: readonly Told[];
  readonly later: readonly Told[];
  readonly laterTo: 0 | 1;
};

const planRaces = (random: Random): { races: Race[]; people: Person[] } => {
  const [races, people]: [Race[], Person[]] = [[], []];
  const seconds = Math.floor(Date.now() / 1000);
  while (people.length < PEOPLE) {
    const [first, second, later]: [Told[], Told[], Told[]] = [[], [], []];
    const together = Math.min(random.integer(1, MOST_TOGETHER), PEOPLE - people.length);
    for (let member = 0; member < together; member += 1) {
      const phone = `5989${String(people.length).padStart(7, '0')}`;
      const bsuid = `UY.${random.digits(17)}`;
      const tell = (shows: Shows): Told => {
        const [from, id] = [shows === 'bsuid' ? null : phone, shows === 'phone' ? null : bsuid];
        const item = {
          ...(from ? { from } : {}),
          ...(id ? { from_user_id: id } : {}),
          id: makeWamid(from ?? bsuid, random.bytes(9)),
          timestamp: String(seconds),
          type: 'text',
          text: { body: `race ${random.digits(12)}` },
        };
        return {
          item,
          contact: { profile: { name: 'Somebody new' }, ...(from ? { wa_id: from } : {}), ...(id ? { user_id: id } : {}) },
        };
      };
      const [one, other] = random.pick(views);
      const left = tell(one);
      // The provider delivers more than once, too: then both processes see the same message.
      const right = one === other && random.chance(50) ? left : tell(other);
      const after = random.chance(50) ? [tell('both')] : [];
      first.push(left);
      second.push(right);
      later.push(...after);
      const seen = [left, right, ...after].map(({ item }) => item);
      people.push({
        phone: seen.some((item) => 'from' in item) ? phone : null,
        bsuid: seen.some((item) => 'from_user_id' in item) ? bsuid : null,
        facts: [...new Set(seen.map(factOf))],
      });
    }
    races.push({ first: random.shuffle(first), second: random.shuffle(second), later, laterTo: random.chance(50) ? 0 : 1 });
  }
  return { races, people };
};

/** Each person is one subject: by every identifier in the directory, as the key of every record, with one conversation. */
const judge = async (people: readonly Person[], phoneNumberId: string, facts: Facts, history: History): Promise<string[]> => {
  const problems: string[] = [];
  const references = facts.referencesOf(phoneNumberId);
  const rows = await select<{ identifier: string; subject: string }>(
    facts.context,
    'ingest',
    `select kind || '|' || blind_index as identifier, subject_id as subject from identity`,
  );
  const directory = Map.groupBy(rows, ({ identifier }) => identifier);
  const records = Map.groupBy(
    history.records.filter(({ fact }) => fact !== null),
    ({ fact }) => fact as string,
  );
  const opened = Map.groupBy(facts.of('conversation.events.v1', 'conversation.opened.v1'), ({ key }) => key);
  const owners = new Map<string, number>();
  for (const [number, { phone, bsuid, facts: told }] of people.entries()) {
    const of = (kind: 'phone' | 'bsuid', value: string | null): string[] => {
      if (value === null) return [];
      const found = directory.get(`${kind}|${references.blindIndex(kind, value)}`) ?? [];
      if (found.length !== 1) problems.push(`person ${number}: ${found.length} subjects by ${kind}`);
      return found.map(({ subject }) => subject);
    };
    const keys = told.flatMap((fact) => {
      const found = records.get(fact) ?? [];
      if (found.length === 0) problems.push(`person ${number}: a message is not on the log`);
      return found.flatMap(({ key, subject }) => [key, subject ?? 'nobody']);
    });
    const subjects = [...new Set([...of('phone', phone), ...of('bsuid', bsuid), ...keys])];
    if (subjects.length !== 1) problems.push(`person ${number} is ${subjects.length} subjects`);
    for (const subject of subjects) {
      const owner = owners.get(subject);
      if (owner !== undefined) problems.push(`persons ${owner} and ${number} are one subject`);
      owners.set(subject, number);
      const conversations = opened.get(subject)?.length ?? 0;
      if (conversations !== 1) problems.push(`person ${number} has ${conversations} conversations`);
    }
  }
  return problems;
};

const race = async (
  { fleet, context }: Parameters<Scenario['faults']>[0],
  random: Random,
  print: (line: string) => void,
): Promise<Aftermath> => {
  const number = random.pick(context.numbers);
  const provider = await Provider.of(context, number);
  const second = new URL(context.webhookUrl);
  second.port = fleet.specOf('ingest-webhook-2').env['HTTP_PORT'] ?? '';
  const processes = [context.webhookUrl, second.href] as const;
  const { races, people } = planRaces(random);
  const started = performance.now();
  const queue = races.values();
  const runner = async (): Promise<void> => {
    for (const { first, second: other, later, laterTo } of queue) {
      await Promise.all([provider.deliver(processes[0], first), provider.deliver(processes[1], other)]);
      if (later.length > 0) await provider.deliver(processes[laterTo], later);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  const refused = provider.deliveries.filter(({ status }) => status !== 200).length;
  const took = ((performance.now() - started) / 1000).toFixed(1);
  print(`${people.length} races in ${provider.deliveries.length} deliveries, ${took} s; ${refused} of them had to come again`);
  return {
    what: 'each of the people is one subject, with one key and one conversation',
    deliveries: provider.deliveries,
    examined: people.length,
    judge: (facts, history) => judge(people, number.phoneNumberId, facts, history),
  };
};

/** The same new customer at two webhook processes in the same instant, 3,000 times. */
export const identityRaces: Scenario = {
  name: 'identity races',
  what: `two webhook processes meet ${PEOPLE} new customers at the same time`,
  customers: 8,
  bounded: false,
  faults: async ({ fleet }) => void (await fleet.startSecond('ingest-webhook')),
  afterwards: race,
};
