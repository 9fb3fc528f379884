import type { Accepted, ConversationDetail, Me, Offer, ThreadItem } from '@centralita/contracts';
import type { Random } from '@centralita/tool-simulator';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, type ApiClient } from './client.js';
import { agentText, canary, noteText } from './phrases.js';

/** A reply as the agent's screen knows it: accepted by the platform, or refused with a code. */
export type ReplyAttempt = {
  readonly conversationId: string;
  readonly kind: 'text' | 'template';
  readonly text: string;
  readonly replyId: string | null;
  readonly refusedWith: string | null;
};

/** A read that carried the causal token of the command before it, and whether the answer knew what the command had done. */
export type CausalRead = { readonly token: string; readonly sawEffect: boolean };

export type AgentJournal = {
  readonly username: string;
  readonly actorId: string;
  readonly accepted: string[];
  readonly declined: string[];
  readonly ignored: string[];
  readonly replies: ReplyAttempt[];
  readonly notes: string[];
  readonly closed: string[];
  readonly transferred: string[];
  readonly causalReads: CausalRead[];
  readonly surprises: string[];
};

/** A fraction of the offer timeout of the day's policy. */
const POLL_MS = 500;
const MAXIMUM_TRIES = 3;
/** Chat agents write in two windows; capacity allows more, which waits on the desk. */
const CHATS_AT_ONCE = 2;
const dispositions = ['solved', 'information', 'no_answer'];

/** A scripted agent. Works through the same public API as the console and decides by its own seeded dice. */
export class ScriptedAgent {
  readonly journal: AgentJournal;
  readonly #seenOffers = new Set<string>();
  readonly #done = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #inHand = new Set<string>();
  /** What accepting did at routing, by conversation: the first look must see it. */
  readonly #accepted = new Map<string, string>();
  readonly #offerDice: Random;

  constructor(
    private readonly api: ApiClient,
    private readonly random: Random,
    private readonly language: 'es' | 'en' | 'pt',
    private readonly queueIds: readonly string[],
  ) {
    const { username, actorId } = api.login;
    this.#offerDice = random.fork(`offers:${username}`);
    this.journal = {
      username,
      actorId,
      accepted: [],
      declined: [],
      ignored: [],
      replies: [],
      notes: [],
      closed: [],
      transferred: [],
      causalReads: [],
      surprises: [],
    };
  }

  /** Works until the day is over and nothing is left on the desk, then goes offline. */
  async work(over: () => boolean): Promise<void> {
    await this.api.put('/v1/me/presence', { presence: 'online' });
    const desk: Me['tasks'] = [];
    let done = false;
    const chats = Promise.all(Array.from({ length: CHATS_AT_ONCE }, () => this.#chat(desk, over))).finally(() => (done = true));
    await Promise.all([chats, this.#answerOffers(desk, () => done)]);
    await this.api.put('/v1/me/presence', { presence: 'offline' });
  }

  /** Takes one conversation after the other from the desk until the day is over and nothing new lies there. */
  async #chat(desk: Me['tasks'], over: () => boolean): Promise<void> {
    for (;;) {
      const task = desk.find(({ taskId, since }) => !this.#done.has(`${taskId}:${since}`) && !this.#inHand.has(taskId));
      if (task) {
        this.#inHand.add(task.taskId);
        await this.#take(`${task.taskId}:${task.since}`, task.taskId).finally(() => this.#inHand.delete(task.taskId));
      } else if (over()) return;
      else await pause(POLL_MS);
    }
  }

  /** Answers offers while the agent works, as a person does who writes with one eye on the dock. Keeps the desk current. */
  async #answerOffers(desk: Me['tasks'], done: () => boolean): Promise<void> {
    while (!done()) {
      const { body: me } = await this.api.get<Me>('/v1/me');
      desk.splice(0, desk.length, ...me.tasks.filter((task) => task.state === 'assigned'));
      for (const offer of me.offers) await this.#consider(offer);
      // Missed offers may have sent the agent away; a person comes back to the desk.
      if (me.presence !== 'online' && !done()) await this.api.put('/v1/me/presence', { presence: 'online' });
      await pause(POLL_MS);
    }
  }

  /** Works on one task. What fails is tried again; what fails three times is written down and left on the desk. */
  async #take(turn: string, conversationId: string): Promise<void> {
    try {
      await this.#handle(conversationId);
      this.#done.add(turn);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const tries = (this.#failures.get(turn) ?? 0) + 1;
      this.#failures.set(turn, tries);
      if (tries < MAXIMUM_TRIES) return;
      this.#done.add(turn);
      this.journal.surprises.push(error.message);
    }
  }

  async #consider(offer: Offer): Promise<void> {
    if (this.#seenOffers.has(offer.reservationId)) return;
    this.#seenOffers.add(offer.reservationId);
    const dice = this.#offerDice.integer(1, 100);
    if (dice <= 4) {
      this.journal.ignored.push(offer.reservationId);
      return;
    }
    const answer = dice <= 8 ? 'decline' : 'accept';
    await this.#guard(async () => {
      const { headers } = await this.api.post(`/v1/offers/${offer.reservationId}/${answer}`, {});
      if (answer === 'accept') this.#accepted.set(offer.conversationId, headers.get('x-causal-token') ?? '');
      this.journal[answer === 'accept' ? 'accepted' : 'declined'].push(offer.reservationId);
    }, ['OFFER_GONE']);
  }

  async #handle(conversationId: string): Promise<void> {
    const base = `/v1/conversations/${conversationId}`;
    const token = this.#accepted.get(conversationId);
    const { body: detail } = await this.api.get<ConversationDetail>(base, { causalToken: token });
    // The first look only: later the conversation may have left the desk.
    if (token && this.#accepted.delete(conversationId))
      this.journal.causalReads.push({ token, sawEffect: detail.assignedAgentId === this.journal.actorId });
    const { body: thread } = await this.api.get<{ items: ThreadItem[] }>(`${base}/messages`);
    await this.api.post(`${base}/read`, {});
    const media = thread.items.find((item) => item.media?.state === 'stored')?.media;
    if (media && this.random.chance(50)) await this.api.raw('GET', `/v1/media/${media.mediaId}`);
    if (detail.mayReply === 'text') {
      await this.#reply(base, conversationId, 'text');
      if (this.random.chance(20)) await this.#reply(base, conversationId, 'text');
    } else {
      // The composer would not offer it; the server must refuse it all the same.
      await this.#reply(base, conversationId, 'text');
      await this.#reply(base, conversationId, 'template');
    }
    if (this.random.chance(15)) {
      const text = noteText(this.random);
      await this.api.post(`${base}/notes`, { text });
      this.journal.notes.push(text);
    }
    const [queueId] = this.queueIds;
    if (queueId && this.random.chance(5)) {
      await this.api.post(`${base}/transfer`, { toQueueId: queueId });
      this.journal.transferred.push(conversationId);
      return;
    }
    await this.api.post(`${base}/disposition`, { code: this.random.pick(dispositions) });
    const { headers } = await this.api.post(`${base}/close`, {});
    this.journal.closed.push(conversationId);
    // Wrap-up is over when the agent says so or when its time is up, whichever comes first.
    if (this.random.chance(50))
      await this.#guard(
        async () =>
          void (await this.api.post(
            `/v1/tasks/${conversationId}/complete`,
            {},
            { causalToken: headers.get('x-causal-token') ?? undefined },
          )),
        ['NOT_FOUND', 'NOT_ASSIGNED', 'OFFER_GONE'],
      );
  }

  async #reply(base: string, conversationId: string, kind: 'text' | 'template'): Promise<void> {
    const text = kind === 'text' ? agentText(this.random, this.language) : canary(this.random);
    const body = kind === 'text' ? { kind, text } : { kind, template: 'order_update', language: this.language, values: [text] };
    const idempotencyKey = randomUUID();
    const twice = this.random.chance(5);
    for (let attempt = 1; ; attempt += 1) {
      const { body: detail } = await this.api.get<ConversationDetail>(base);
      try {
        const { body: accepted } = await this.api.post<Accepted>(`${base}/replies`, body, {
          ifMatch: detail.replyVersion,
          idempotencyKey,
        });
        this.journal.replies.push({ conversationId, kind, text, replyId: accepted.id, refusedWith: null });
        if (twice) {
          const again = await this.api.post<Accepted>(`${base}/replies`, body, { ifMatch: detail.replyVersion, idempotencyKey });
          if (again.body.id !== accepted.id)
            this.journal.surprises.push(`a repeated command gave ${again.body.id}, not ${accepted.id}`);
        }
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // A colleague or a late projection moved the version: look again, as a person would.
        if (error.status === 412 && attempt < 5) continue;
        if (error.status !== 422) throw error;
        this.journal.replies.push({ conversationId, kind, text, replyId: null, refusedWith: error.problem.code ?? null });
        return;
      }
    }
  }

  /** Runs one step of work; what the API refuses with another code than expected is written down, not swallowed. */
  async #guard(step: () => Promise<void>, expected: readonly string[] = []): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!expected.includes(error.problem.code ?? '')) this.journal.surprises.push(error.message);
    }
  }
}
