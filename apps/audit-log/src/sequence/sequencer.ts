import { randomUUID } from 'node:crypto';
import { isPlatformError } from '@centralita/contracts';
import { Database, EventStore, toBigInt, type Tx } from '@centralita/event-store';
import type { EventLog } from '@centralita/event-log';
import {
  CLOCK,
  CONFIG,
  DRAIN,
  describeError,
  EVENT_LOG,
  LOGGER,
  METRICS,
  type Clock,
  type DrainController,
  type Logger,
  type Metrics,
} from '@centralita/platform-nest';
import { Keyring } from '@centralita/keyring';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Config } from '../config.js';
import { logIdOf } from '../log-identity.js';
import { CONSUMER_GROUP } from '../service.js';
import { FactsFreshness } from '../facts/freshness.js';
import { ParkedSubjects } from '../facts/parked.js';
import { Signer } from '../signing/signer.js';
import { lastCheckpoint, publishCheckpoint } from './checkpoint.js';
import { completenessOf } from './completeness.js';
import type { CompletenessAt } from './due.js';
import { sequence } from './sequence.js';

const IDLE_MS = 50;
const BACKOFF_MS = 1_000;
/** Another process takes a log over when its sequencer has been silent for so long. */
const LEASE_MS = 10_000;
/** How long the last checkpoint of a process waits for its leaves to be published. */
const FINAL_MS = 3_000;

/** Runs the logs of all tenants: sequences what waits, signs what is published. One process at a time per log, by lease. */
@Injectable()
export class Sequencer implements OnApplicationBootstrap {
  readonly #holder = randomUUID();
  readonly #freshness: FactsFreshness;
  readonly #parked: ParkedSubjects;
  readonly #height;
  readonly #age;
  readonly #sealed;
  readonly #findings;
  /** By the monotonic clock. */
  readonly #startedAt = performance.now();
  /** Logs whose last pass failed, by the monotonic clock. */
  readonly #restingUntil = new Map<string, number>();
  #stopping = false;
  #wake: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(
    private readonly db: Database,
    private readonly store: EventStore,
    keyring: Keyring,
    private readonly signer: Signer,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(EVENT_LOG) log: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(METRICS) metrics: Metrics,
    @Inject(DRAIN) drain: DrainController,
  ) {
    this.#freshness = new FactsFreshness(db, log, CONSUMER_GROUP, clock);
    this.#parked = new ParkedSubjects(db, keyring, CONSUMER_GROUP);
    this.#height = metrics.gauge('audit_chain_height');
    this.#age = metrics.gauge('audit_checkpoint_age_seconds');
    this.#sealed = metrics.histogram('audit_sealed_seconds');
    this.#findings = metrics.counter('audit_verify_failures_total');
    // After the consumer has stopped and before the relay does: the last leaves are still published.
    drain.add('flush', 'sequencer', () => this.stop());
  }

  onApplicationBootstrap(): void {
    this.#loop = this.#run();
  }

  /** Finishes with what is here: a last pass, and a checkpoint over all of it when the relay publishes it in time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#loop;
    const deadline = performance.now() + FINAL_MS;
    while (!(await this.#passes(true)) && performance.now() < deadline) await this.#pause(IDLE_MS);
    for (const tenantId of await this.#tenants())
      await this.db.withTenant(tenantId, (tx) => this.store.releaseDomain(tx, logIdOf(tenantId), this.#holder));
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        if (await this.#passes(false)) await this.#pause(IDLE_MS);
      } catch (error) {
        this.logger.error({ err: describeError(error) }, 'the sequencer cannot read which logs there are; it tries again');
        await this.#pause(BACKOFF_MS);
      }
    }
  }

  /** One pass over all logs. True when nothing is left to do now. A log that fails is left alone for a while; the others go on. */
  async #passes(final: boolean): Promise<boolean> {
    let idle = true;
    let height = 0n;
    let age = 0;
    for (const tenantId of await this.#tenants()) {
      if ((this.#restingUntil.get(tenantId) ?? 0) > performance.now()) continue;
      try {
        const state = await this.#pass(tenantId, final);
        idle &&= state.idle;
        height += state.height;
        age = Math.max(age, state.ageSeconds);
      } catch (error) {
        this.#restingUntil.set(tenantId, performance.now() + BACKOFF_MS);
        // A database that is away proves nothing against a log; one that waits for long is seen by the age of its checkpoint.
        const passes = isPlatformError(error) && error.retryable;
        if (!passes) this.#findings.inc({ kind: 'sequencer_stopped' });
        const level = passes ? 'warn' : 'error';
        this.logger[level]({ tenantId, err: describeError(error) }, 'a log could not go on; it is tried again');
      }
    }
    this.#height.set(Number(height));
    this.#age.set(age);
    return idle;
  }

  async #pass(tenantId: string, final: boolean): Promise<{ idle: boolean; height: bigint; ageSeconds: number }> {
    let more = false;
    if (await this.db.withTenant(tenantId, waiting)) {
      await this.#freshness.refresh();
      const parked = await this.#parked.of(tenantId);
      const done = await this.db.withTenant(tenantId, (tx) =>
        sequence(tx, {
          store: this.store,
          holder: this.#holder,
          leaseMs: LEASE_MS,
          completenessAt: this.#completenessAt,
          parked,
          clock: this.clock,
        }),
      );
      more = done?.more ?? false;
      for (const { kind, lane, from, to, leafIndex } of done?.findings ?? []) {
        this.#findings.inc({ kind });
        const numbers = { from: from.toString(), to: to.toString() };
        this.logger.error({ kind, lane, ...numbers, leafIndex: leafIndex.toString(), tenantId }, 'finding in the access log');
      }
    }
    return this.db.withTenant(tenantId, async (tx) => {
      const before = (await lastCheckpoint(tx))?.size ?? 0n;
      const signed = await publishCheckpoint(tx, {
        store: this.store,
        signer: this.signer,
        holder: this.#holder,
        leaseMs: LEASE_MS,
        clock: this.clock,
        final,
        intervalMs: this.config.AUDIT_CHECKPOINT_INTERVAL_MS,
        leaves: this.config.AUDIT_CHECKPOINT_LEAVES,
      });
      if (signed !== null) {
        const oldest = await oldestLeaf(tx, before, signed);
        if (oldest) this.#sealed.observe(Math.max(0, (this.clock().getTime() - oldest.getTime()) / 1_000));
      }
      const height = await sequencedLeaves(tx);
      const last = await lastCheckpoint(tx);
      const open = height > (last?.size ?? 0n);
      return {
        idle: final ? !open && !more : !more,
        height,
        ageSeconds: open && last ? Math.max(0, (this.clock().getTime() - last.at.getTime()) / 1_000) : 0,
      };
    });
  }

  readonly #completenessAt: CompletenessAt = ({ at, ageMs }) =>
    completenessOf({
      factsCompleteUntil: this.#freshness.completeUntil,
      receivedAt: at.getTime(),
      ageMs,
      uptimeMs: performance.now() - this.#startedAt,
      patienceMs: this.config.AUDIT_REASON_PATIENCE_MS,
    });

  async #tenants(): Promise<string[]> {
    const rows = await this.db.system((tx) =>
      tx.query<{ tenant_id: string }>(`select tenant_id from tenant_log order by tenant_id`),
    );
    return rows.map((row) => row.tenant_id);
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const waiting = async (tx: Tx): Promise<boolean> => {
  const [row] = await tx.query<{ any: boolean }>(`select exists (select from intake where tenant_id = $1) as any`, [tx.tenantId]);
  return row?.any ?? false;
};

/** Time of the oldest access among the leaves of an interval. */
const oldestLeaf = async (tx: Tx, from: bigint, to: bigint): Promise<Date | null> => {
  const [row] = await tx.query<{ at: Date | null }>(
    `select min(occurred_at) as at from leaf where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3 and kind <> 'erasure'`,
    [tx.tenantId, from, to],
  );
  return row?.at ?? null;
};

const sequencedLeaves = async (tx: Tx): Promise<bigint> => {
  const [row] = await tx.query<{ size: string }>(
    `select coalesce((select last_seq from domain_head where tenant_id = $1 and domain_id = $2), 0) as size`,
    [tx.tenantId, logIdOf(tx.tenantId)],
  );
  return toBigInt(row?.size ?? 0);
};
