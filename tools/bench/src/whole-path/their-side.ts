import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { Case, Ground, Side, Work } from '../bench.js';
import { Assignment, AuditEntry, Conversation, Message, MessageStatus, Usage } from '../programs/tutorial/entities.js';
import { topics, type SavedMessage } from '../programs/tutorial/settings.js';
import { Client, Deliverer } from './http.js';
import { Pool } from './pool.js';
import { Provider } from './provider.js';
import { Tail } from './tail.js';
import { committed } from './databases.js';
import { deliveriesOf, inboundOf, STATUSES } from './traffic.js';
import { startTutorial, type Tutorial } from './tutorial.js';
import { soon } from './wait.js';

/** Commands of all agents that are under way at the same time, as on our side. */
const AT_ONCE = 16;
const TEXT = 'Good morning. Yes, it is free, with breakfast. Shall I keep it for you until tonight?';

/** Reads and answers for every second message of a conversation. */
class Agents {
  #answers = new Pool(AT_ONCE);
  #folded = 0;

  constructor(
    private readonly client: Client,
    private readonly url: string,
  ) {}

  get answered(): number {
    return this.#answers.done;
  }

  get folded(): number {
    return this.#folded;
  }

  nextRound(): void {
    this.#answers = new Pool(AT_ONCE);
    this.#folded = 0;
  }

  see({ conversationId, agentId, count }: SavedMessage): void {
    this.#folded += 1;
    if (count % 2 === 0) this.#answers.add(conversationId, () => this.#answer(conversationId, agentId));
  }

  async #answer(conversationId: string, agentId: string): Promise<void> {
    const base = `${this.url}/conversations/${conversationId}`;
    const read = await this.client.send('GET', `${base}/messages?actor=${agentId}`, {}, null);
    const headers = { 'content-type': 'application/json' };
    const sent = await this.client.send('POST', `${base}/replies`, headers, JSON.stringify({ text: TEXT }));
    if (read.status >= 300 || sent.status >= 300) throw new Error(`${read.status} and ${sent.status} ${sent.body}`);
  }
}

type Effect = { readonly entity: EntityTarget<ObjectLiteral>; readonly column: string };
const effects: Readonly<Record<string, Effect>> = {
  messages: { entity: Message, column: 'wamid' },
  conversations: { entity: Conversation, column: 'id' },
  assignments: { entity: Assignment, column: '"conversationId"' },
  statuses: { entity: MessageStatus, column: `wamid || ' ' || status` },
  usage: { entity: Usage, column: 'wamid' },
  reads: { entity: AuditEntry, column: 'id' },
};
type Counts = Readonly<Record<string, { readonly rows: number; readonly ids: number }>>;

const countAll = async ({ database }: Tutorial): Promise<Counts> => {
  const counts: Record<string, { rows: number; ids: number }> = {};
  for (const [name, { entity, column }] of Object.entries(effects)) {
    const { tablePath } = database.getMetadata(entity);
    const sql = `select count(*)::int as rows, count(distinct ${column})::int as ids from "${tablePath}"`;
    const [row] = await database.query<{ rows: number; ids: number }[]>(sql);
    counts[name] = row ?? { rows: 0, ids: 0 };
  }
  return counts;
};

export const theirSide = async (ground: Ground, parameters: Case['parameters']): Promise<Side> => {
  const { conversations = 0, messagesEach = 0, items = 1, connections = 1, underWay = 0 } = parameters;
  const client = new Client();
  const provider = new Provider();
  const graphUrl = await provider.listen();
  const tutorial = await startTutorial(ground, graphUrl);
  const deliverer = new Deliverer(client, `${tutorial.urls.webhook}/webhooks/bench`);
  provider.reportBy(deliverer);
  const agents = new Agents(client, tutorial.urls.conversation);
  const tail = new Tail(ground.brokers);
  await tail.start([topics.saved], ({ value }) => agents.see(JSON.parse(value.toString('utf8')) as SavedMessage));
  const transactions = (): Promise<number> => committed(ground.databaseUrl, [tutorial.name]);
  const usages = tutorial.database.getRepository(Usage);
  const statuses = tutorial.database.getRepository(MessageStatus);
  return {
    processes: tutorial.processes,
    prepare: async (): Promise<Work> => {
      agents.nextRound();
      provider.nextRound();
      const before = await countAll(tutorial);
      const inbound = inboundOf(conversations, messagesEach);
      const deliveries = deliveriesOf(inbound.changes, items);
      const messages = inbound.sent.length;
      const replies = messages / 2;
      const refused = deliverer.refused;
      const added: Readonly<Record<string, number>> = {
        messages: messages + replies,
        conversations,
        assignments: conversations,
        statuses: replies * STATUSES.length,
        usage: replies,
        reads: replies,
      };
      const expected = (name: string): number => (before[name]?.rows ?? 0) + (added[name] ?? 0);
      let [own, commits] = [0, await transactions()];
      return {
        run: async () => {
          const started = process.cpuUsage();
          const answered = (): boolean => agents.answered === replies && provider.delivered === replies * STATUSES.length;
          const told = (): string => `${agents.answered} of ${replies} answers, ${provider.delivered} statuses`;
          await Promise.all([
            deliverer.deliverAll(deliveries, connections, (sent) => sent - agents.folded < underWay),
            soon(answered, told),
          ]);
          // What comes last: rows for the last statuses.
          const done = async (): Promise<boolean> =>
            (await usages.count()) >= expected('usage') && (await statuses.count()) >= expected('statuses');
          await soon(done, () => 'the last statuses are not there');
          const { user, system } = process.cpuUsage(started);
          own = user + system;
          commits = (await transactions()) - commits;
        },
        confirmed: async () => {
          const after = await countAll(tutorial);
          const wrong = Object.entries(after).filter(
            ([name, { rows, ids }]) => rows !== expected(name) || ids !== (before[name]?.ids ?? 0) + (added[name] ?? 0),
          );
          if (wrong.length > 0) throw new Error(`the round is not complete: ${JSON.stringify({ wrong, before, added })}`);
          const names = [...inbound.sent, ...provider.calls].map(({ wamid }) => wamid);
          const repository = tutorial.database.getRepository(Message);
          const found = await repository.createQueryBuilder('m').where('m.wamid = any(:names)', { names }).getCount();
          if (found !== names.length) throw new Error(`of ${names.length} messages ${found} are there`);
          return messages;
        },
        figures: () => ({
          'load us': own / messages,
          transactions: commits / messages,
          'deliveries refused': deliverer.refused - refused,
        }),
      };
    },
    close: async () => {
      await tail.close();
      await tutorial.stop();
      provider.close();
      client.close();
    },
  };
};
