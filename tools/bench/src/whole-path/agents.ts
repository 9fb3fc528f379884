// The people of the contact centre, by the services' own APIs: they take every offer, and for every second message of a customer they read
// the thread and answer. They are told where to look by the log, as screens are by the live stream.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { replyVersion } from '@centralita/domain-conversation';
import type { Problem, Role, Service } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import type { Gateway } from './gateway.js';
import type { Answer, Client } from './http.js';
import { Pool } from './pool.js';
import type { Seen } from './tail.js';

const AGENTS = 16;
/** The most that one may hold. */
const CAPACITY = 100;
const MOST_TRIES = 50;
/** Commands of all agents that are under way at the same time. */
const AT_ONCE = 16;

type Assigned = { readonly agentId: string; readonly partition: number; readonly offset: bigint };
type Call = { readonly actor: string; readonly role?: Role; readonly body?: unknown; readonly ifMatch?: string };
export type AgentsOptions = {
  readonly client: Client;
  readonly gateway: Gateway;
  readonly urls: Readonly<Record<'conversation' | 'routing', string>>;
  readonly numbers: readonly string[];
};

export class Agents {
  readonly #ids = Array.from({ length: AGENTS }, () => randomUUID());
  #offers = new Pool(AT_ONCE);
  #answers = new Pool(AT_ONCE);
  readonly #assigned = new Map<string, Assigned>();
  readonly #messages = new Map<string, number>();
  readonly #replies = new Map<string, number>();
  /** Answers that wait for the conversation service to know who may give them, by conversation. */
  readonly #held = new Map<string, number>();
  #folded = 0;
  #again = 0;
  #reads: string[] = [];
  #applied: ReadonlyMap<number, bigint> = new Map();

  constructor(private readonly options: AgentsOptions) {}

  static readonly capacity = AGENTS * CAPACITY;

  /** Answers of this round that were accepted. Throws what any command met. */
  get answered(): number {
    return this.#offers.done < 0 ? 0 : this.#answers.done;
  }

  /** Messages of this round that are part of a conversation. */
  get folded(): number {
    return this.#folded;
  }

  /** Requests of this round that were made again because the answer said so. */
  get again(): number {
    return this.#again;
  }

  /** Access records of this round, as the answers name them. */
  get reads(): readonly string[] {
    return this.#reads;
  }

  /** Defines the rules, one queue for all numbers and the agents, and brings them online. */
  async begin(): Promise<void> {
    const actor = randomUUID();
    const queueId = randomUUID();
    const put = (path: string, body: unknown): Promise<unknown> =>
      this.#call('routing', 'PUT', path, { actor, role: 'platform', body });
    await put('/v1/routing-policy', {
      selection: 'longest-idle',
      offerTimeoutMs: 600_000,
      wrapUpMs: 0,
      closingWindowMs: 7_200_000,
      awayAfterMissedOffers: null,
    });
    const { numbers } = this.options;
    const serves = { phoneNumberIds: numbers, requiredSkills: [], languageSkill: false, relaxLanguageAfterMs: null };
    await put(`/v1/queues/${queueId}`, { name: 'All numbers', ...serves, priority: 100 });
    for (const [index, id] of this.#ids.entries()) {
      const label = `Agent ${index + 1}`;
      await put(`/v1/agents/${id}`, { label, skills: [], queueIds: [queueId], capacity: CAPACITY });
      await this.#call('routing', 'PUT', '/v1/me/presence', { actor: id, body: { presence: 'online' } });
    }
  }

  nextRound(): void {
    [this.#offers, this.#answers] = [new Pool(AT_ONCE), new Pool(AT_ONCE)];
    this.#held.clear();
    [this.#folded, this.#again] = [0, 0];
    this.#reads = [];
  }

  /** Closes what is open, so that everybody has room for the next round. */
  async clearDesks(): Promise<void> {
    const open = [...this.#assigned];
    const closing = new Pool(AT_ONCE);
    for (const [conversationId, { agentId }] of open)
      closing.add(conversationId, async () => {
        const body = { dispositionCode: 'solved' };
        await this.#call('conversation', 'POST', `/v1/conversations/${conversationId}/close`, { actor: agentId, body });
      });
    await until(() => closing.done === open.length, { timeoutMs: 120_000, describe: 'conversations to be closed' });
    for (const [conversationId] of open) this.#assigned.delete(conversationId);
  }

  see({ partition, offset, value }: Seen): void {
    // Two of the many types matter here, and parsing all would be load that nobody asked for.
    const type = ['reservation.offered.v1', 'task.assigned.v1', 'conversation.message.recorded.v1'].find((name) =>
      value.includes(`"type":"${name}"`),
    );
    if (type === undefined) return;
    const { data } = JSON.parse(value.toString('utf8')) as {
      data: { conversationId: string; agentId: string; reservationId: string };
    };
    const { conversationId, agentId, reservationId } = data;
    if (type === 'reservation.offered.v1')
      this.#offers.add(reservationId, async () => {
        await this.#call('routing', 'POST', `/v1/offers/${reservationId}/accept`, { actor: agentId, body: {} });
      });
    if (type === 'task.assigned.v1') this.#assigned.set(conversationId, { agentId, partition, offset });
    if (type === 'conversation.message.recorded.v1') {
      const count = (this.#messages.get(conversationId) ?? 0) + 1;
      this.#messages.set(conversationId, count);
      this.#folded += 1;
      if (count % 2 === 0) this.#held.set(conversationId, (this.#held.get(conversationId) ?? 0) + 1);
    }
    this.#release(conversationId);
  }

  /** Assignments up to these offsets of routing's events are known to the conversation service. */
  know(applied: ReadonlyMap<number, bigint>): void {
    this.#applied = applied;
    for (const conversationId of [...this.#held.keys()]) this.#release(conversationId);
  }

  #release(conversationId: string): void {
    const assigned = this.#assigned.get(conversationId);
    if (assigned === undefined || (this.#applied.get(assigned.partition) ?? 0n) <= assigned.offset) return;
    const held = this.#held.get(conversationId) ?? 0;
    this.#held.delete(conversationId);
    for (let reply = 0; reply < held; reply += 1)
      this.#answers.add(conversationId, () => this.#answer(conversationId, assigned.agentId));
  }

  async #answer(conversationId: string, actor: string): Promise<void> {
    const path = `/v1/conversations/${conversationId}`;
    const { headers } = await this.#call('conversation', 'GET', `${path}/messages`, { actor });
    this.#reads.push(String(headers['x-access-record']));
    const sent = this.#replies.get(conversationId) ?? 0;
    this.#replies.set(conversationId, sent + 1);
    const body = { kind: 'text', text: 'Good morning. Yes, it is free, with breakfast. Shall I keep it for you until tonight?' };
    // As the screen knows it: each conversation of the bench is assigned once, and nobody else answers.
    await this.#call('conversation', 'POST', `${path}/replies`, { actor, body, ifMatch: replyVersion(sent, 1) });
  }

  async #call(service: Service & ('conversation' | 'routing'), method: string, path: string, call: Call): Promise<Answer> {
    const { client, gateway, urls } = this.options;
    const { actor, role = 'agent', body, ifMatch } = call;
    const headers = {
      authorization: `Bearer ${await gateway.token(service, actor, role)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    };
    const text = body === undefined ? null : JSON.stringify(body);
    // A person waits and presses Retry; the command's key makes the second press harmless.
    for (let tries = 1; ; tries += 1) {
      const answer = await client.send(method, urls[service] + path, headers, text);
      if (answer.status < 300) return answer;
      const { retryable = false } = JSON.parse(answer.body) as Partial<Problem>;
      if (!retryable || tries === MOST_TRIES) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
      this.#again += 1;
      await pause(Math.min(100 * tries, 1_000));
    }
  }
}
