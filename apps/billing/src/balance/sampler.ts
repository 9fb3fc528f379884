import { Database } from '@centralita/event-store';
import { CLOCK, DRAIN, every, METRICS, type Clock, type DrainController, type Metrics } from '@centralita/platform-nest';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { AccountBook } from '../accounts.js';
import { readBooks } from './balance.js';

/** The whole fold is read for it, at most for a fifth of the time. */
const SAMPLE_MS = 60_000;

/** Tells for all tenants together whether the books balance, and for how long something has had no price. */
@Injectable()
export class BalanceSampler implements OnApplicationBootstrap {
  readonly #unrated;
  readonly #oldest;
  readonly #difference;

  constructor(
    private readonly db: Database,
    private readonly accounts: AccountBook,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(METRICS) metrics: Metrics,
    @Inject(DRAIN) private readonly drain: DrainController,
  ) {
    this.#unrated = metrics.gauge('billing_unrated_events');
    this.#oldest = metrics.gauge('billing_oldest_unrated_seconds');
    this.#difference = metrics.gauge('billing_reconcile_diff');
  }

  onApplicationBootstrap(): void {
    this.drain.add(
      'close',
      'balance sampler',
      every(SAMPLE_MS, () => this.sample()),
    );
  }

  async sample(): Promise<void> {
    const now = this.clock();
    let [unrated, oldest, difference] = [0, 0, 0];
    for (const tenantId of this.accounts.tenants()) {
      const { balance, oldestUnrated } = await this.db.withTenant(tenantId, async (tx) => {
        // Evidence and records are counted by several statements, and batches go on being applied between them.
        await tx.execute('set transaction isolation level repeatable read, read only');
        return readBooks(tx, this.accounts, now.toISOString());
      });
      unrated += balance.suspense;
      // Differences of two tenants must not cancel each other out.
      difference += Math.abs(balance.delivered - balance.rated - balance.free - balance.suspense);
      if (oldestUnrated !== null) oldest = Math.max(oldest, (now.getTime() - Date.parse(oldestUnrated)) / 1000);
    }
    this.#unrated.set(unrated);
    this.#oldest.set(oldest);
    this.#difference.set(difference);
  }
}
