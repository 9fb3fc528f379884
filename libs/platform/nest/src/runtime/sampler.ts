import type { Relay } from '@centralita/event-store';
import type { DataSource } from 'typeorm';
import type { Metrics } from '../metrics.js';

const SAMPLE_MS = 1000;

type Pool = { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };

/**
 * Looks once a second at what a scrape and the access recorder want to know, so that neither asks the database itself. A sample that
 * has grown old counts as that much older: an outbox that cannot be asked is not fresh.
 */
export class Sampler {
  #age = 0;
  #sampledAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;

  constructor(
    private readonly relay: Pick<Relay, 'oldestUnpublishedAge'> | null,
    private readonly dataSource: DataSource,
    private readonly metrics: Metrics,
    private readonly extra: () => Promise<void>,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Seconds. */
  outboxAge(): number {
    const stale = (performance.now() - this.#sampledAt) / 1000 - (SAMPLE_MS / 1000) * 3;
    return this.relay ? this.#age + Math.max(0, stale) : 0;
  }

  async #sample(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { master } = this.dataSource.driver as { master?: Pool };
      if (master) {
        this.metrics.poolUsed.set(master.totalCount - master.idleCount);
        this.metrics.poolWaiting.set(master.waitingCount);
      }
      await this.extra();
      if (this.relay) this.#age = await this.relay.oldestUnpublishedAge();
      this.#sampledAt = performance.now();
    } catch {
      // Left to grow old; the readiness check of the database says why.
    } finally {
      this.metrics.outboxAge.set(this.outboxAge());
      this.#busy = false;
    }
  }
}
