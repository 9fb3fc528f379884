import { randomUUID } from 'node:crypto';
import { Database, EventStore, type Tx } from '@centralita/event-store';
import {
  CONFIG,
  describeError,
  DRAIN,
  DrainController,
  every,
  LOGGER,
  METRICS,
  type Logger,
  type Metrics,
} from '@centralita/platform-nest';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { RoutingConfig } from '../config.js';
import { Signals } from '../inputs/signals.js';
import { DomainWriter, type WriterDeps } from './domain-writer.js';

const COUNT_MS = 5_000;
const phases = ['waiting', 'offered', 'assigned', 'wrapping'];

/** Two branches, one for each partial index: what is completed is not looked at. */
const countTasks = (tx: Tx): Promise<{ phase: string; tasks: number; seconds: string | null }[]> =>
  tx.query(
    `select phase, count(*)::int as tasks, extract(epoch from clock_timestamp()) - min((state->>'queuedAt')::numeric) / 1000 as seconds
     from task where tenant_id = $1 and phase = 'waiting' group by phase
     union all
     select phase, count(*)::int, null from task
     where tenant_id = $1 and agent_id is not null and phase in ('offered', 'assigned', 'wrapping') group by phase`,
    [tx.tenantId],
  );

/** Token of the {@link Database} that only writers use. */
export const WRITER_DATABASE = Symbol('routing:writer-database');

/** Keeps a writer for every routing domain that no other process writes. */
@Injectable()
export class Writers implements OnApplicationBootstrap {
  readonly #stopped = new AbortController();
  readonly #running = new Map<string, { writer: DomainWriter; done: Promise<void> }>();
  readonly #deps: WriterDeps;
  /** Tenants that had an input since the start: only the first is news. */
  readonly #known = new Set<string>();
  readonly #leases;
  readonly #tasks;
  readonly #oldest;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    @Inject(WRITER_DATABASE) private readonly db: Database,
    store: EventStore,
    @Inject(Signals) private readonly signals: Signals,
    @Inject(CONFIG) private readonly config: RoutingConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(METRICS) metrics: Metrics,
    @Inject(DRAIN) drain: DrainController,
  ) {
    const taken = metrics.counter('routing_inputs_total');
    const age = metrics.histogram('routing_input_seconds');
    this.#tasks = metrics.gauge('routing_tasks');
    this.#oldest = metrics.gauge('routing_oldest_waiting_seconds');
    this.#leases = metrics.gauge('routing_domains_written');
    this.#deps = {
      db,
      store,
      signals,
      logger,
      holder: randomUUID(),
      leaseMs: config.ROUTING_LEASE_MS,
      onTaken: (kind, ageMs) => {
        taken.inc({ kind });
        age.observe({ kind }, ageMs / 1000);
      },
    };
    // Commands that are still waiting need the writer: it stops after the last request was answered.
    const stopCounting = every(COUNT_MS, () => this.#count());
    drain.add('close', 'counts of tasks', stopCounting);
    drain.add('consume', 'routing writers', () => this.stop());
    drain.add('close', 'database of the writers', () => db.close());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.signals.start();
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#looking;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await this.signals.stop();
  }

  /** Tries every domain without a writer of ours, again and again: at each unknown tenant's input, and as often as a lease can end. */
  async #look(): Promise<void> {
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
      const news = this.#news();
      try {
        for (const tenantId of await this.#tenants()) this.#start(tenantId);
      } catch (error) {
        this.logger.warn({ err: describeError(error) }, 'the routing domains could not be listed');
      }
      await news;
      this.#leases.set([...this.#running.values()].filter(({ writer }) => writer.holdsLease).length);
    }
  }

  /** Of the domains that are written here, so that the sum over all processes counts every conversation once. */
  async #count(): Promise<void> {
    const sums = new Map<string, number>(phases.map((phase) => [phase, 0]));
    let oldest = 0;
    for (const [tenantId, { writer }] of this.#running) {
      if (!writer.holdsLease) continue;
      for (const { phase, tasks, seconds } of await this.db.withTenant(tenantId, countTasks)) {
        sums.set(phase, (sums.get(phase) ?? 0) + tasks);
        if (phase === 'waiting') oldest = Math.max(oldest, Number(seconds));
      }
    }
    for (const [phase, tasks] of sums) this.#tasks.set({ phase }, tasks);
    this.#oldest.set(oldest);
  }

  async #tenants(): Promise<string[]> {
    const rows = await this.db.system((tx) => tx.query<{ tenant_id: string }>(`select tenant_id from routing_domain`));
    return rows.map((row) => row.tenant_id);
  }

  #start(tenantId: string): void {
    if (this.#running.has(tenantId)) return;
    const writer = new DomainWriter(this.#deps, tenantId);
    const done = writer.run(this.#stopped.signal).finally(() => this.#running.delete(tenantId));
    this.#running.set(tenantId, { writer, done });
  }

  /** Resolves when a tenant without a writer here gets an input, when a lease may have ended, or when stopped. */
  #news(): Promise<void> {
    const stopped = this.#stopped.signal;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        unlisten();
        stopped.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, this.config.ROUTING_LEASE_MS / 4);
      const unlisten = this.signals.onInput((tenantId) => {
        if (!this.#known.has(tenantId)) {
          this.#known.add(tenantId);
          done();
        }
      });
      stopped.addEventListener('abort', done);
      if (stopped.aborted) done();
    });
  }
}
