import { isPlatformError, PlatformError } from '@centralita/contracts';
import { requireStoreHoldsLog } from './behind-log.js';
import { headKey, planPass } from './pass.js';
import type { RelayAlarm, RelayOptions, RelayState } from './relay-options.js';
import { Outbox, type OutboxState } from './outbox.js';
import { Pause } from './pause.js';
import { sendHeads } from './send.js';
import { RelaySession, type ReadLimits, type ReadRow, type Sent } from './relay-session.js';

const SWEEP_MS = 1_000;
/** A transaction that is open for longer than this is seen by the next sweep and not by the next pass. */
const SLOW_COMMIT_MS = 200;
const BALANCE_MS = 1_000;
const MAX_BACKOFF_MS = 2_000;
/** Heads that the log refused are tried again this often: its limits may have been raised. */
const UNBLOCK_MS = 60_000;
/** Rows of a kind that one removal of what has expired may take; when it was not enough, the next one follows soon. */
const EXPIRY_LIMIT = 5_000;
const EXPIRY_AGAIN_MS = 1_000;
/** What a stop waits beyond its time, for the pass that is under way. */
const GRACE_MS = 500;

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
 * A pass is bounded in heads, events and bytes, so a key that is new waits for one pass at most, however hot others are. Who rings the
 * bell is only for speed (a commit of this process, another relay, a timer): what there is to do is always found by looking.
 *
 * A crash before 3 sends nothing; after 3, the next relay sends the same run again, and watermarks drop it. What goes to the log for a
 * key is always a gapless run that starts right after what is known to be there, so first occurrences are in order whoever sends.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #limits: ReadLimits;
  readonly #idleMs: number;
  readonly #expiryMs: number;
  readonly #feeds: readonly string[];
  readonly #outbox: Outbox;
  #pause = new Pause();
  #state: RelayState = 'stopped';
  #loop: Promise<void> | undefined;
  #session: RelaySession | undefined;
  #stopping = false;
  #drainUntil = 0;
  #commits = 0;
  #nextExpiry = 0;
  #unsubscribe: (() => void) | undefined;
  readonly #opened = Promise.withResolvers<boolean>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? 250;
    this.#expiryMs = options.expiryMs ?? 600_000;
    this.#limits = {
      headsPerBucket: options.headsPerBucket ?? 64,
      eventsPerHead: options.eventsPerHead ?? 4,
      eventsPerPass: options.eventsPerPass ?? 4_096,
      bytesPerPass: options.bytesPerPass ?? 4 * 1024 * 1024,
    };
    this.#outbox = new Outbox(options.url);
    this.#feeds =
      options.feeds ?? options.topics.filter((topic) => topic !== 'access.events.v1' && topic !== 'operations.events.v1');
  }

  get state(): RelayState {
    return this.#state;
  }

  /** The outcome of the first start check: false when the relay was closed by it, or stopped before. Rejects never. */
  get opened(): Promise<boolean> {
    return this.#opened.promise;
  }

  /** Begins with the start check, on its own; connections that fail are tried again. */
  start(): void {
    if (this.#loop) return;
    this.#stopping = false;
    this.#nextExpiry = performance.now() + this.#expiryMs / 10;
    this.#pause = new Pause();
    this.#unsubscribe = this.#options.database?.onAppend(() => {
      this.#commits += 1;
      this.#pause.wake();
    });
    this.#loop = this.#live();
  }

  /** Looks now instead of at the end of the pause. */
  wake(): void {
    this.#pause.wake();
  }

  /**
   * Publishes what is there, for at most `drainMs`, and gives the leases back. What is on its way to a log that does not answer is not
   * waited for longer: the next relay sends it again. Before the start check is through there is nothing to wait for.
   */
  async stop(): Promise<void> {
    const { drainMs = 5_000, logger, service } = this.#options;
    this.#drainUntil = performance.now() + drainMs;
    this.#stopping = true;
    this.#opened.resolve(false);
    this.#unsubscribe?.();
    this.#pause.interrupt();
    if (this.#state === 'running') {
      const late = new Pause();
      void this.#loop?.then(() => late.wake());
      if (!(await late.sleep(drainMs + GRACE_MS))) logger?.warn({ service }, 'relay stops before everything is published');
    }
    await this.#session?.close();
    this.#loop = undefined;
    if (this.#state !== 'closed') this.#state = 'stopped';
    await this.#outbox.close();
  }

  /** How far the log is behind the store, over all tenants. */
  outbox(): Promise<OutboxState> {
    return this.#outbox.state();
  }

  async #live(): Promise<void> {
    const { url, log, service, topics, lookBack = 1_000, leaseMs = 15_000, logger } = this.#options;
    const pause = this.#pause;
    for (let failures = 0; !this.#stopping;) {
      let session: RelaySession | undefined;
      try {
        this.#state = 'checking';
        session = await RelaySession.open(url, service, leaseMs, () => pause.wake());
        this.#session = session;
        if (this.#stopping) return;
        // On every connection: behind a new one may stand a promoted standby that has lost the last commits.
        await requireStoreHoldsLog(session, log, service, topics, lookBack);
        if (this.#stopping) return;
        this.#state = 'running';
        this.#opened.resolve(true);
        logger?.info({ service }, 'relay started');
        failures = 0;
        await this.#run(session);
      } catch (error) {
        if (this.#stopping) return;
        if (isPlatformError(error, 'STORE_BEHIND_LOG')) {
          this.#state = 'closed';
          this.#opened.resolve(false);
          logger?.error({ service, ...error.details }, 'relay closed: the database is behind the log');
          this.#alarm({ code: 'STORE_BEHIND_LOG' });
          return;
        }
        this.#state = 'waiting';
        this.#retried(error);
        await pause.sleep(Math.min(100 * 2 ** failures++, MAX_BACKOFF_MS), { deaf: true });
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
    const shortest = Math.max(1, this.#idleMs / 8);
    let heard = this.#commits;
    for (let idle = shortest, failures = 0; !this.#stopping || performance.now() < this.#drainUntil;) {
      if (session.broken) throw new PlatformError('DATABASE_UNAVAILABLE', 'the connection of the relay ended');
      let worked = false;
      try {
        await this.#maintain(memory);
        if (heard !== this.#commits && session.hasCompany) session.ring();
        heard = this.#commits;
        worked = await this.#pass(memory);
        failures = 0;
      } catch (error) {
        // Trouble of the database ends the session, and with it the leases; trouble of the log does not.
        if (
          session.broken ||
          (isPlatformError(error) && 'sqlState' in error.details) ||
          isPlatformError(error, 'DATABASE_UNAVAILABLE') ||
          isPlatformError(error, 'STORE_BEHIND_LOG')
        )
          throw error;
        this.#retried(error);
        await this.#pause.sleep(Math.min(50 * 2 ** failures++, MAX_BACKOFF_MS), { deaf: true });
      }
      if (worked) idle = shortest;
      else if (this.#stopping && failures === 0) return;
      else idle = (await this.#pause.sleep(idle)) ? shortest : Math.min(idle * 2, this.#idleMs);
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
    if (now >= this.#nextExpiry && !this.#stopping) {
      this.#nextExpiry = now + this.#expiryMs;
      // Beside the passes and not between them; what fails is tried again at the next time.
      this.#outbox.removeExpired(EXPIRY_LIMIT).then(
        (removed) => void (removed >= EXPIRY_LIMIT && (this.#nextExpiry = performance.now() + EXPIRY_AGAIN_MS)),
        (error: unknown) => this.#retried(error),
      );
    }
  }

  /** True when something was sent or moved. */
  async #pass(memory: Memory): Promise<boolean> {
    const { session, remembered } = memory;
    if (session.buckets.length === 0) return false;
    const started = performance.now();
    const rows = await this.#read(memory);
    const plan = planPass(rows, remembered, memory.blocked);
    const [reused] = plan.reused;
    if (reused) throw new PlatformError('STORE_BEHIND_LOG', 'a version that was sent belongs to another event now', reused);
    for (const hole of plan.holes) {
      const id = headKey({ tenantId: '', ...hole });
      if (memory.holes.has(id)) continue;
      memory.holes.add(id);
      this.#options.logger?.error({ topic: hole.topic, recordKey: hole.key }, 'events of a key are missing');
      this.#alarm({ code: 'INTERNAL', ...hole });
    }
    const records = plan.heads.flatMap((head) => head.records);
    let sent = plan.heads;
    if (records.length > 0) {
      await session.fence();
      sent = await sendHeads(this.#options.log, plan.heads, ({ id, mark: { topic, key } }, { code }) => {
        memory.blocked.add(id);
        this.#options.logger?.error({ topic, recordKey: key, code }, 'the log refuses the events of a key');
        this.#alarm({ code, topic, key });
      });
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
    const started = performance.now();
    if (memory.floor !== null && started < memory.nextSweep) return session.read(memory.floor, this.#limits);
    const rows = await session.read(null, this.#limits);
    memory.nextSweep = started + Math.max(SWEEP_MS, 20 * (performance.now() - started));
    memory.floor = rows.reduce(
      (floor, { dirty_since }) => (dirty_since < floor ? dirty_since : floor),
      new Date(session.now.getTime() - SLOW_COMMIT_MS),
    );
    return rows;
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
}
