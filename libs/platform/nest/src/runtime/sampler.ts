import type { OutboxState, Relay } from '@centralita/event-store';
import type { Metrics } from '../metrics.js';

const OUTBOX_MS = 1000;
const GROUP_MS = 5000;

export type SamplerOptions = {
  readonly relay: Pick<Relay, 'outbox'> | null;
  readonly metrics: Metrics;
  /** Of a consumer group: see `groupSampler`. */
  readonly group?: () => Promise<void>;
};

/**
 * Calls `work` every `ms`, never twice at the same time, and never so that it takes more than a fifth of the time. What it throws is left
 * to the readiness checks. Returns how to stop.
 */
export const every = (ms: number, work: () => Promise<void>): (() => void) => {
  let [busy, notBefore] = [false, 0];
  const timer = setInterval(() => {
    const started = performance.now();
    if (busy || started < notBefore) return;
    busy = true;
    // What cannot be asked grows old; the readiness check of the database says why.
    void work()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
        notBefore = performance.now() + 4 * (performance.now() - started);
      });
  }, ms).unref();
  return () => clearInterval(timer);
};

/**
 * Looks now and then at what a scrape and the access recorder want to know, so that neither asks the database itself. A sample that
 * has grown old counts as that much older: an outbox that cannot be asked is not fresh.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  #outbox: OutboxState = { depth: 0, oldestSeconds: 0 };
  #sampledAt = performance.now();
  #stops: (() => void)[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  start(): void {
    const { group } = this.#options;
    this.#stops = [every(OUTBOX_MS, () => this.#sample()), ...(group ? [every(GROUP_MS, group)] : [])];
    if (group) void group().catch(() => undefined);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** Seconds. */
  outboxAge(): number {
    const stale = (performance.now() - this.#sampledAt - OUTBOX_MS * 3) / 1000;
    return this.#options.relay ? this.#outbox.oldestSeconds + Math.max(0, stale) : 0;
  }

  async #sample(): Promise<void> {
    const { relay, metrics } = this.#options;
    try {
      if (relay) this.#outbox = await relay.outbox();
      this.#sampledAt = performance.now();
    } finally {
      metrics.outboxDepth.set(this.#outbox.depth);
      metrics.outboxAge.set(this.outboxAge());
    }
  }
}
