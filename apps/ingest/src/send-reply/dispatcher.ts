import { isPlatformError, type EventData } from '@centralita/contracts';
import type { Keyring } from '@centralita/keyring';
import type { Clock, Logger } from '@centralita/platform-nest';
import { identityOf, marketOf, meaningOf, type CloudApi, type SendOutcome } from '@centralita/whatsapp';
import type { MetaApps } from '../apps.js';
import type { Outbound } from '../outbound.js';
import { contentsOf } from './contents.js';
import type { Heard } from './heard.js';
import type { Decided, Outcome, RefusalReason, Send, SendLedger } from './ledger.js';
import { Pace } from './pace.js';

export type DispatcherOptions = {
  readonly ledger: SendLedger;
  readonly heard: Pick<Heard, 'until'>;
  readonly outbound: Pick<Outbound, 'append'>;
  readonly keyring: Pick<Keyring, 'sealer' | 'references' | 'closed'>;
  readonly apps: MetaApps;
  readonly clientOf: (tenantId: string, phoneNumberId: string) => Pick<CloudApi, 'send'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest wait for one answer of the provider, in seconds. */
  readonly callSeconds: number;
  readonly concurrency: number;
  readonly ratePerSecond: number;
  /** Pause between two messages to one customer, once `pairBurst` messages have gone out together. */
  readonly pairIntervalMs: number;
  readonly pairBurst: number;
  readonly unresolvedAfterSeconds: number;
  readonly onOutcome?: (outcome: Outcome['state'] | 'unknown') => void;
};

const IDLE_MS = 250;
const SOON_MS = 20;
const EXPIRE_EVERY_MS = 1000;
const RETRY_SECONDS = 1;
/** A turn that is further away is waited for in the ledger: a place among the calls is for somebody who can use it. */
const LONGEST_TURN_MS = 1000;

/**
 * Delivers replies, each with at most one call. The order for one reply, and what a crash behind each step leaves:
 * 1. claim the head of its pair - the lease ends and somebody claims it again;
 * 2. wait for a turn, open the envelope - the same;
 * 3. append `attempted`, replicated - the same: the event comes again under its id (a start in between reads it from the log, and
 *    then the call counts as made);
 * 4. move the row to `attempted`, if the lease still holds - the call counts as made, although it was not: unknown, then unresolved;
 * 5. look at the deadline again, call once - unknown, until a status proves it or time runs out;
 * 6. keep the outcome in the row, 7. append it - the outcome is appended again, under its id.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #numbers: Pace;
  readonly #pairs: Pace;
  /** By send. */
  readonly #underWay = new Map<string, Promise<void>>();
  #running: Promise<void> | null = null;
  #stopped = false;
  #woken = false;
  #wake: (() => void) | null = null;
  #soon: NodeJS.Timeout | undefined;
  #expiredAt = -Infinity;
  #turns = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#numbers = new Pace(1000 / options.ratePerSecond);
    this.#pairs = new Pace(options.pairIntervalMs, options.pairBurst);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Looks for work at once instead of at the next turn. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** The same, a moment later: when the transaction that brought the work is likely to be committed. */
  wakeSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.wake();
    }, SOON_MS);
  }

  /** Claims nothing more, lets calls that are under way end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#soon);
    this.wake();
    await this.#running;
    await Promise.all(this.#underWay.values());
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      try {
        await this.#turn();
      } catch (error) {
        this.#options.logger.error({ err: error }, 'the dispatcher could not look for work');
      }
      if (!this.#woken) await this.#idle();
    }
  }

  async #idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  async #turn(): Promise<void> {
    const { ledger, apps, concurrency } = this.#options;
    const expire = performance.now() - this.#expiredAt >= EXPIRE_EVERY_MS;
    if (expire) this.#expiredAt = performance.now();
    const first = this.#turns;
    for (const [place, tenantId] of apps.tenants(first).entries()) {
      if (expire) await this.#expire(tenantId);
      for (const decided of await ledger.decided(tenantId, 100)) await this.#announce(decided);
      const free = concurrency - this.#underWay.size;
      if (free <= 0 || this.#stopped) continue;
      const claimed = await ledger.claim(tenantId, free);
      await this.#lease(tenantId, claimed);
      for (const send of claimed) this.#launch(send);
      // Whoever is behind the one that was served comes first next time; turns in which nobody was served change nothing.
      if (claimed.length > 0) this.#turns = first + place + 1;
    }
  }

  async #expire(tenantId: string): Promise<void> {
    const { ledger, heard, logger, unresolvedAfterSeconds } = this.#options;
    if (!(await ledger.expire(tenantId, unresolvedAfterSeconds))) return;
    try {
      const until = await heard.until();
      if (until) await ledger.giveUp(tenantId, unresolvedAfterSeconds, until);
    } catch (error) {
      // It stays unknown; other replies need not wait for that.
      logger.warn({ err: error }, 'it is not known yet whether unknown calls were proven');
    }
  }

  /** Asks for the keys of all at once; each reply asks again for its own and finds it leased. */
  async #lease(tenantId: string, claimed: readonly Send[]): Promise<void> {
    if (claimed.length < 2) return;
    try {
      await this.#options.keyring.sealer(
        tenantId,
        claimed.map(({ sealed }) => sealed.subject),
      );
    } catch {
      // Each will meet it again, and knows what follows from it.
    }
  }

  #launch(send: Send): void {
    // Its lease ended while it waited, for the log or for its turn, and it was ours to claim: it goes on under the new one.
    if (this.#underWay.has(send.sendId)) return;
    const work = this.#dispatch(send)
      .catch((error: unknown) => {
        // The row keeps its lease and its state; the rules of time decide what becomes of it.
        this.#options.logger.error({ err: error, sendId: send.sendId }, 'a reply could not be dispatched');
      })
      .finally(() => {
        this.#underWay.delete(send.sendId);
        this.wake();
      });
    this.#underWay.set(send.sendId, work);
  }

  async #dispatch(send: Send): Promise<void> {
    const { ledger, clientOf, callSeconds } = this.#options;
    if (this.#isLate(send)) return this.#decide(send, refused('deadline_passed'));
    const client = clientOf(send.tenantId, send.phoneNumberId);
    if (!client) return this.#decide(send, refused('not_permitted'));
    const pair = `${send.phoneNumberId}|${send.key}`;
    const pause = Math.max(this.#numbers.wait(send.phoneNumberId), this.#pairs.wait(pair));
    if (pause > LONGEST_TURN_MS) return ledger.release(send, pause / 1000);
    let contents: ReturnType<typeof contentsOf> | 'erased';
    try {
      contents = await this.#open(send);
    } catch (error) {
      if (isPlatformError(error) && error.retryable) return ledger.release(send, RETRY_SECONDS);
      this.#options.logger.error({ err: error, sendId: send.sendId }, 'a reply could not be opened');
      return this.#decide(send, refused('invalid_request'));
    }
    if (contents === 'erased') return this.#decide(send, refused('undeliverable'));
    if (contents === null) return this.#decide(send, refused('invalid_request'));
    const turn = Math.max(this.#numbers.take(send.phoneNumberId), this.#pairs.take(pair));
    if (turn > 0) await new Promise((resolve) => setTimeout(resolve, turn));
    if (this.#stopped) return ledger.release(send, 0);
    try {
      await this.#append(send, 'whatsapp.reply.attempted.v1', { kind: send.kind, sendBefore: send.sendBefore.toISOString() });
    } catch {
      return ledger.release(send, RETRY_SECONDS);
    }
    const market = marketOf(identityOf(contents.recipientType === 'group' ? [] : [contents.to, contents.recipient]));
    if (!(await ledger.markAttempted(send, market, callSeconds))) return;
    if (this.#isLate(send)) return this.#decide(send, refused('deadline_passed'));
    const calledAt = this.#options.clock().toISOString();
    const answer = await client.send({ ...contents, phoneNumberId: send.phoneNumberId, callbackData: send.sendId });
    await this.#settle(send, answer, calledAt);
  }

  async #open(send: Send): Promise<ReturnType<typeof contentsOf> | 'erased'> {
    const keys = await this.#options.keyring.sealer(send.tenantId, [send.sealed.subject]);
    // Nothing goes out to somebody whose erasure has begun, although the key may still be there.
    if (keys.state(send.sealed.subject) !== 'live') return 'erased';
    const opened = keys.open(send.sealed);
    return opened.state === 'erased' ? 'erased' : contentsOf(opened.value);
  }

  async #settle(send: Send, answer: SendOutcome, calledAt: string): Promise<void> {
    const { ledger, keyring, onOutcome } = this.#options;
    if (answer.outcome === 'unknown') {
      onOutcome?.('unknown');
      return ledger.markUnknown(send);
    }
    if (answer.outcome === 'refused') {
      const { reason, code, status } = answer;
      const meaning = code === null ? null : meaningOf(code);
      this.#options.logger.info({ sendId: send.sendId, reason, code, status, meaning }, 'the provider refused a reply');
      return this.#decide(send, refused(reason, code, calledAt));
    }
    const references = await keyring.references(send.tenantId);
    return this.#decide(send, { state: 'accepted', messageRef: references.messageRef(send.phoneNumberId, answer.wamid) });
  }

  async #decide(send: Send, outcome: Outcome): Promise<void> {
    if (await this.#options.ledger.decide(send, outcome)) await this.#announce({ ...send, outcome });
  }

  async #announce(decided: Decided): Promise<void> {
    const { outcome } = decided;
    try {
      // Where a tombstone stands, or will, there is no new record and nobody who would read it.
      const erased = (await this.#options.keyring.closed(decided.tenantId, [decided.key])).has(decided.key);
      if (erased)
        this.#options.logger.info({ sendId: decided.sendId }, 'the outcome of a reply to the erased stays in the ledger');
      else if (outcome.state === 'accepted')
        await this.#append(decided, 'whatsapp.reply.accepted.v1', { kind: decided.kind, messageRef: outcome.messageRef });
      else if (outcome.state === 'refused')
        await this.#append(
          decided,
          'whatsapp.reply.refused.v1',
          { reason: outcome.reason, providerCode: outcome.providerCode },
          outcome.at,
        );
      else await this.#append(decided, 'whatsapp.reply.unresolved.v1', {});
    } catch (error) {
      // It stays decided and is announced at the next turn.
      this.#options.logger.warn({ err: error, sendId: decided.sendId }, 'an outcome could not be announced yet');
      return;
    }
    await this.#options.ledger.announced(decided);
    this.#options.onOutcome?.(outcome.state);
  }

  async #append<Type extends `whatsapp.reply.${'attempted' | 'accepted' | 'refused' | 'unresolved'}.v1`>(
    send: Omit<Send, 'sealed' | 'sendBefore'>,
    type: Type,
    own: Omit<EventData<Type>, 'sendId' | 'replyId' | 'conversationId' | 'phoneNumberId' | 'attempt'>,
    at?: string,
  ): Promise<void> {
    const { tenantId, key, sendId, replyId, conversationId, phoneNumberId, attempt, flow } = send;
    const data = { sendId, replyId, conversationId, phoneNumberId, attempt, ...own };
    await this.#options.outbound.append({ type, tenantId, key, about: sendId, attempt, data, flow, at } as Parameters<
      Outbound['append']
    >[0]);
  }

  #isLate(send: Send): boolean {
    return this.#options.clock() >= send.sendBefore;
  }
}

const refused = (reason: RefusalReason, providerCode: number | null = null, at?: string): Outcome => ({
  state: 'refused',
  reason,
  providerCode,
  ...(at === undefined ? {} : { at }),
});
