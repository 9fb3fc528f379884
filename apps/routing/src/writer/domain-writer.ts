import { isPlatformError } from '@centralita/contracts';
import { nextDeadline } from '@centralita/domain-routing';
import type { Database, DomainLease, EventStore } from '@centralita/event-store';
import { describeError, type Logger } from '@centralita/platform-nest';
import { domainOf } from '../ids.js';
import { pendingInputs, sweepInputs } from '../inputs/input-table.js';
import type { Signals } from '../inputs/signals.js';
import { loadDomain, type Loaded } from './load.js';
import { saveSnapshot } from './snapshot.js';
import { takeInputs } from './take-inputs.js';

export type WriterDeps = {
  readonly db: Database;
  readonly store: EventStore;
  readonly signals: Signals;
  readonly logger: Logger;
  /** Unique to this start of this process. */
  readonly holder: string;
  readonly leaseMs: number;
  /** How often to look without a signal. @default 250 */
  readonly lookMs?: number;
  /** Events after which a snapshot is due. @default 2000 */
  readonly snapshotEvery?: number;
  /** Called with each input that was decided and the time since it came, in milliseconds. */
  readonly onTaken?: (kind: string, ageMs: number) => void;
};

/** Inputs per transaction: enough to make a long queue cheap, few enough to keep the domain's lock short. */
const BATCH = 100;
const LOOK_MS = 250;
/** A start folds at most about this many events, or as many as the domain has live tasks: a snapshot writes all of those. */
const SNAPSHOT_EVERY = 2_000;
const SWEEP_EVERY_MS = 60_000;
const SWEPT_AT_ONCE = 1_000;

/**
 * The one writer of one routing domain, while it holds the lease. Time is the database's: deadlines are judged by its clock, so
 * that two machines with different clocks decide alike.
 */
export class DomainWriter {
  #lease: DomainLease | null = null;
  #loaded: Loaded | null = null;
  #renewAt = 0;
  /** The database's clock minus this process's monotonic one, which does not jump with the machine's. */
  #skewMs = 0;
  /** Position of the newest snapshot. */
  #snapshotAt = 0;
  #sweepAt = 0;
  #upkeep: Promise<void> | null = null;
  #upkeepFailed: Error | undefined;

  constructor(
    private readonly deps: WriterDeps,
    readonly tenantId: string,
  ) {}

  get #lookMs(): number {
    return this.deps.lookMs ?? LOOK_MS;
  }

  get holdsLease(): boolean {
    return this.#lease !== null;
  }

  /** Takes the lease and decides inputs until stopped, replaced or failed. Returns at once while another writer holds the lease. */
  async run(stopped: AbortSignal): Promise<void> {
    const { logger } = this.deps;
    try {
      while (!stopped.aborted) {
        if (performance.now() >= this.#renewAt && !(await this.#renew())) return;
        await this.#turn(stopped);
        if (this.#upkeepFailed !== undefined) throw this.#upkeepFailed;
        this.#keepUp();
      }
    } catch (error) {
      if (isPlatformError(error, 'STALE_EPOCH')) logger.warn({ tenantId: this.tenantId }, 'replaced by another writer');
      else logger.error({ tenantId: this.tenantId, err: describeError(error) }, 'the writer of a routing domain failed');
    } finally {
      await this.#release();
    }
  }

  /** Decides what is there; then waits for a signal, the next deadline or the next look. */
  async #turn(stopped: AbortSignal): Promise<void> {
    const turn = new AbortController();
    const woken = this.deps.signals.input(this.tenantId, this.#lookMs, AbortSignal.any([turn.signal, stopped]));
    try {
      const more = await this.#take();
      const due = this.#dueIn();
      if (more || due <= 0) return;
      const deadline = setTimeout(() => turn.abort(), due);
      await woken;
      clearTimeout(deadline);
    } finally {
      turn.abort();
    }
  }

  /** Milliseconds to the next deadline; never more than setTimeout can hold. */
  #dueIn(): number {
    if (!this.#loaded) return this.#lookMs;
    const deadline = nextDeadline(this.#loaded.state, this.#loaded.at);
    return deadline === null ? this.#lookMs : Math.min(this.#lookMs, deadline - this.#now());
  }

  #now(): number {
    return Math.floor(performance.now() + this.#skewMs);
  }

  /** One transaction. True when more inputs may be waiting. */
  async #take(): Promise<boolean> {
    const lease = this.#lease as DomainLease;
    const loaded = (this.#loaded ??= await this.#load());
    const now = this.#now();
    const outcome = await this.deps.db.withTenant(this.tenantId, async (tx) => {
      const pending = await pendingInputs(tx, BATCH);
      const deadline = nextDeadline(loaded.state, loaded.at);
      if (pending.length === 0 && (deadline === null || deadline > now)) return null;
      return takeInputs(tx, this.deps.store, lease, loaded, pending, pending.length < BATCH, now);
    });
    if (!outcome) return false;
    this.#loaded = outcome.loaded;
    const done = this.#now();
    for (const { fact, receivedAt } of outcome.taken) this.deps.onTaken?.(fact.kind, Math.max(0, done - receivedAt));
    return outcome.taken.length >= BATCH;
  }

  async #load(): Promise<Loaded> {
    const startedAt = performance.now();
    const loaded = await this.deps.db.withTenant(this.tenantId, (tx) => loadDomain(tx, this.deps.store));
    const seconds = (performance.now() - startedAt) / 1000;
    const { state, snapshotAt } = loaded;
    this.#snapshotAt = snapshotAt;
    this.deps.logger.info({ tenantId: this.tenantId, position: state.position, snapshotAt, seconds }, 'routing domain loaded');
    return loaded;
  }

  /**
   * Snapshots and sweeps beside the decisions, which do not wait for either: a state never changes once it is made. A failure ends the
   * writer as one of a decision does, and the next one starts from the events.
   */
  #keepUp(): void {
    const state = this.#loaded?.state;
    if (!state || this.#upkeep) return;
    const due = Math.max(this.deps.snapshotEvery ?? SNAPSHOT_EVERY, state.tasks.size);
    const snapshot = state.position - this.#snapshotAt >= due;
    const sweep = performance.now() >= this.#sweepAt;
    if (!snapshot && !sweep) return;
    const { db, store } = this.deps;
    const work = async (): Promise<void> => {
      if (snapshot) {
        await db.withTenant(this.tenantId, (tx) => saveSnapshot(tx, store, state));
        this.#snapshotAt = state.position;
      }
      if (sweep) {
        const swept = await db.withTenant(this.tenantId, (tx) => sweepInputs(tx, SWEPT_AT_ONCE));
        this.#sweepAt = swept === SWEPT_AT_ONCE ? 0 : performance.now() + SWEEP_EVERY_MS;
      }
    };
    this.#upkeep = work()
      .catch((error: unknown) => {
        this.#upkeepFailed = error as Error;
      })
      .finally(() => {
        this.#upkeep = null;
      });
  }

  async #renew(): Promise<boolean> {
    const { db, store, holder, leaseMs } = this.deps;
    const renewed = await db.withTenant(this.tenantId, async (tx) => {
      const lease = await store.leaseDomain(tx, domainOf(this.tenantId), holder, leaseMs);
      const [clock] = await tx.query<{ now: string }>(`select ceil(extract(epoch from clock_timestamp()) * 1000) as now`);
      return { lease, now: Number(clock?.now) };
    });
    if (!renewed.lease) return false;
    this.#skewMs = renewed.now - performance.now();
    this.#renewAt = performance.now() + leaseMs / 3;
    // A new epoch means that somebody else may have written in between: what is in memory is no longer the domain.
    if (this.#lease?.epoch !== renewed.lease.epoch) this.#loaded = null;
    this.#lease = renewed.lease;
    return true;
  }

  async #release(): Promise<void> {
    const { db, store, holder, logger } = this.deps;
    await this.#upkeep;
    this.#upkeepFailed = undefined;
    const held = this.#lease !== null;
    this.#lease = null;
    this.#loaded = null;
    this.#renewAt = 0;
    if (!held) return;
    try {
      await db.withTenant(this.tenantId, (tx) => store.releaseDomain(tx, domainOf(this.tenantId), holder));
    } catch (error) {
      // The lease runs out by itself; the next writer only waits longer.
      logger.warn({ tenantId: this.tenantId, err: describeError(error) }, 'the lease could not be given back');
    }
  }
}
