import { isPlatformError, PlatformError } from '@centralita/contracts';
import { requireStoreHoldsLog } from './behind-log.js';
import { headKey, planPass, type HeadPlan } from './pass.js';
import type { RelayAlarm, RelayOptions, RelayState } from './relay-options.js';
import { OutboxAge } from './outbox-age.js';
import { RelaySession, type ReadRow, type Sent } from './relay-session.js';

const SWEEP_MS = 1_000;
/** A transaction that is open for longer than this is seen by the next sweep and not by the next pass. */
const SLOW_COMMIT_MS = 200;
const BALANCE_MS = 1_000;
const MAX_BACKOFF_MS = 2_000;
/** Heads that the log refused are tried again this often: its limits may have been raised. */
const UNBLOCK_MS = 60_000;

/** What a session knows and a new one must not: see {@link RelaySession}. */
type Memory = {
  readonly session: RelaySession;
  /** Sent and acknowledged while a writer held the head's lock; to be marked, not sent again. */
  readonly remembered: Map<string, Sent>;
  readonly blocked: Set<string>;
  readonly holes: Set<string>;
  floor: Date | null;
  nextSweep: number;
  nextBalance: number;
  nextUnblock: number;
};

/**
 * Publishes what stands between `published_version` and `last_version` of each key, in order. One pass:
 *
 * 1. read dirty heads of the leased buckets, oldest first, a bounded number of events each
 * 2. fence: a committed write-ahead record, so that nothing that was read can be taken back by a crash
 * 3. one append to the log, acknowledged by all replicas
 * 4. move the heads to what was sent
 *
 * A crash before 3 sends nothing; after 3, the next relay sends the same run again, and watermarks drop it. What goes to the log for a
 * key is always a gapless run that starts right after what is known to be there, so first occurrences are in order whoever sends.
 */
export class Relay {
  readonly #options: RelayOptions & { readonly idleMs: number; readonly headsPerBucket: number; readonly eventsPerHead: number };
  readonly #feeds: readonly string[];
  readonly #age: OutboxAge;
  #state: RelayState = 'stopped';
  #loop: Promise<void> | undefined;
  #stopping = false;
  #drainUntil = 0;
  #woken = false;
  #wakeUp: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: RelayOptions) {
    this.#options = {
      ...options,
      idleMs: options.idleMs ?? 50,
      headsPerBucket: options.headsPerBucket ?? 64,
      eventsPerHead: options.eventsPerHead ?? 64,
    };
    this.#age = new OutboxAge(options.url);
    this.#feeds =
      options.feeds ?? options.topics.filter((topic) => topic !== 'access.events.v1' && topic !== 'operations.events.v1');
  }

  get state(): RelayState {
    return this.#state;
  }

  /** Begins with the start check, on its own; connections that fail are tried again. */
  start(): void {
    if (this.#loop) return;
    this.#stopping = false;
    this.#unsubscribe = this.#options.database?.onAppend(() => this.wake());
    this.#loop = this.#live();
  }

  /** Looks now instead of at the end of the pause. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  /** Publishes what is there, for at most `drainMs`, and gives the leases back. */
  async stop(): Promise<void> {
    this.#drainUntil = performance.now() + (this.#options.drainMs ?? 5_000);
    this.#stopping = true;
    this.#unsubscribe?.();
    this.wake();
    await this.#loop;
    this.#loop = undefined;
    if (this.#state !== 'closed') this.#state = 'stopped';
    await this.#age.close();
  }

  /** Seconds since the oldest event that is not on the log was recorded, over all tenants; 0 when all is published. */
  oldestUnpublishedAge(): Promise<number> {
    return this.#age.seconds();
  }

  async #live(): Promise<void> {
    const { url, log, service, topics, lookBack = 1_000, logger } = this.#options;
    for (let failures = 0; !this.#stopping;) {
      let session: RelaySession | undefined;
      try {
        this.#state = 'checking';
        session = await RelaySession.open(url, service, this.#options.leaseMs ?? 15_000);
        // On every connection: behind a new one may stand a promoted standby that has lost the last commits.
        await requireStoreHoldsLog(session, log, service, topics, lookBack);
        this.#state = 'running';
        logger?.info({ service }, 'relay started');
        failures = 0;
        await this.#run(session);
      } catch (error) {
        if (isPlatformError(error, 'STORE_BEHIND_LOG')) {
          this.#state = 'closed';
          logger?.error({ service, ...error.details }, 'relay closed: the database is behind the log');
          this.#alarm({ code: 'STORE_BEHIND_LOG' });
          return;
        }
        this.#state = 'waiting';
        this.#retried(error);
        await this.#pause(Math.min(100 * 2 ** failures++, MAX_BACKOFF_MS), { deaf: true });
      } finally {
        await session?.close();
      }
    }
  }

  async #run(session: RelaySession): Promise<void> {
    const memory: Memory = {
      session,
      remembered: new Map(),
      blocked: new Set(),
      holes: new Set(),
      floor: null,
      nextSweep: 0,
      nextBalance: 0,
      nextUnblock: performance.now() + UNBLOCK_MS,
    };
    for (let idle = 1, failures = 0; !this.#stopping || performance.now() < this.#drainUntil;) {
      if (session.broken) throw new PlatformError('DATABASE_UNAVAILABLE', 'the connection of the relay ended');
      let worked = false;
      try {
        await this.#maintain(memory);
        worked = await this.#pass(memory);
        failures = 0;
      } catch (error) {
        // Trouble of the database ends the session, and with it the leases; trouble of the log does not.
        if (
          session.broken ||
          (isPlatformError(error) && 'sqlState' in error.details) ||
          isPlatformError(error, 'DATABASE_UNAVAILABLE')
        )
          throw error;
        this.#retried(error);
        await this.#pause(Math.min(50 * 2 ** failures++, MAX_BACKOFF_MS), { deaf: true });
      }
      if (worked) idle = 1;
      else if (this.#stopping && failures === 0) return;
      else {
        const woken = await this.#pause(idle);
        idle = woken ? 1 : Math.min(idle * 2, this.#options.idleMs);
      }
    }
  }

  async #maintain(memory: Memory): Promise<void> {
    const now = performance.now();
    if (now >= memory.nextBalance) {
      memory.nextBalance = now + BALANCE_MS;
      const before = memory.session.buckets.length;
      const lost = await memory.session.balance();
      // Whoever takes a bucket knows nothing of what was remembered; whoever comes back to one must not trust its memory.
      if (lost.length > 0) memory.remembered.clear();
      if (memory.session.buckets.length !== before) [memory.floor, memory.nextSweep] = [null, 0];
    }
    if (now >= memory.nextUnblock) {
      memory.nextUnblock = now + UNBLOCK_MS;
      memory.blocked.clear();
    }
  }

  /** True when something was sent or moved. */
  async #pass(memory: Memory): Promise<boolean> {
    const { session, remembered } = memory;
    if (session.buckets.length === 0) return false;
    const started = performance.now();
    const rows = await this.#read(memory);
    const plan = planPass(rows, remembered, memory.blocked);
    for (const hole of plan.holes) {
      const id = headKey({ tenantId: '', ...hole });
      if (memory.holes.has(id)) continue;
      memory.holes.add(id);
      this.#options.logger?.error(hole, 'events of a key are missing');
      this.#alarm({ code: 'INTERNAL', ...hole });
    }
    const records = plan.heads.flatMap((head) => head.records);
    let sent = plan.heads;
    if (records.length > 0) {
      await session.fence();
      sent = await this.#send(memory, plan.heads);
    }
    if (sent.length === 0) return false;
    const moved = new Set(
      (
        await session.published(
          sent.map(({ mark }) => mark),
          this.#feeds,
        )
      ).map((row) => headKey({ tenantId: row.tenant_id, topic: row.topic, key: row.key })),
    );
    for (const { id, mark } of sent) {
      if (moved.has(id)) remembered.delete(id);
      else remembered.set(id, mark);
    }
    if (records.length > 0) {
      const oldestSeconds = plan.oldest === null ? 0 : Math.max(0, (Date.now() - plan.oldest.getTime()) / 1_000);
      this.#options.metrics?.published?.({
        records: records.length,
        seconds: (performance.now() - started) / 1_000,
        oldestSeconds,
      });
    }
    return records.length > 0 || moved.size > 0;
  }

  /** From the floor, or now and then from the beginning: an entry behind the floor is dead, or was committed late. */
  async #read(memory: Memory): Promise<ReadRow[]> {
    const { session } = memory;
    const { headsPerBucket, eventsPerHead } = this.#options;
    const started = performance.now();
    if (memory.floor !== null && started < memory.nextSweep) return session.read(memory.floor, headsPerBucket, eventsPerHead);
    const now = await session.now();
    const rows = await session.read(null, headsPerBucket, eventsPerHead);
    memory.nextSweep = started + Math.max(SWEEP_MS, 20 * (performance.now() - started));
    memory.floor = rows.reduce(
      (floor, { dirty_since }) => (dirty_since < floor ? dirty_since : floor),
      new Date(now.getTime() - SLOW_COMMIT_MS),
    );
    return rows;
  }

  /** One append for all. Only when the log refuses it for good, head by head, so that one bad record blocks its own key alone. */
  async #send(memory: Memory, heads: readonly HeadPlan[]): Promise<readonly HeadPlan[]> {
    const { log, logger } = this.#options;
    try {
      await log.append(heads.flatMap(({ records }) => records));
      return heads;
    } catch (error) {
      if (!isPlatformError(error) || error.retryable) throw error;
    }
    const sent: HeadPlan[] = [];
    for (const head of heads) {
      try {
        await log.append(head.records);
        sent.push(head);
      } catch (error) {
        if (!isPlatformError(error) || error.retryable) throw error;
        memory.blocked.add(head.id);
        const { topic, key } = head.mark;
        logger?.error({ topic, key, code: error.code }, 'the log refuses the events of a key');
        this.#alarm({ code: error.code, topic, key });
      }
    }
    return sent;
  }

  #alarm(alarm: RelayAlarm): void {
    this.#options.metrics?.alarm?.(alarm);
  }

  #retried(error: unknown): void {
    const code = isPlatformError(error) ? error.code : 'INTERNAL';
    const details = isPlatformError(error) ? error.details : {};
    this.#options.logger?.warn({ code, ...details }, 'relay tries again');
    this.#options.metrics?.retried?.({ code });
  }

  /** True when it was woken before the time. A deaf pause ends early only for stop(). */
  async #pause(ms: number, options: { deaf?: boolean } = {}): Promise<boolean> {
    if (!options.deaf && this.#woken) {
      this.#woken = false;
      return true;
    }
    if (options.deaf && this.#stopping) return true;
    return new Promise((resolve) => {
      const end = (woken: boolean): void => {
        clearTimeout(timer);
        this.#wakeUp = undefined;
        if (woken) this.#woken = false;
        resolve(woken);
      };
      const timer = setTimeout(() => end(false), ms);
      this.#wakeUp = (): void => {
        if (!options.deaf || this.#stopping) end(true);
      };
    });
  }
}
