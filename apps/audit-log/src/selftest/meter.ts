import { Database, PLATFORM_TENANT } from '@centralita/event-store';
import { DRAIN, every, METRICS, type DrainController, type Metrics } from '@centralita/platform-nest';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** Somebody waits for it while a self-test runs. */
const SAMPLE_MS = 1000;

/** Tells which self-test the tables hold, by its time: what no replica has committed is not told. */
@Injectable()
export class SelftestMeter implements OnApplicationBootstrap {
  readonly #ranAt;

  constructor(
    private readonly db: Database,
    @Inject(METRICS) metrics: Metrics,
    @Inject(DRAIN) private readonly drain: DrainController,
  ) {
    this.#ranAt = metrics.gauge('selftest_projected_timestamp_seconds');
  }

  onApplicationBootstrap(): void {
    this.drain.add(
      'close',
      'selftest meter',
      every(SAMPLE_MS, () => this.sample()),
    );
  }

  async sample(): Promise<void> {
    const [row] = await this.db.withTenant(PLATFORM_TENANT, (tx) =>
      tx.query<{ ranAt: Date }>('select ran_at as "ranAt" from selftest'),
    );
    if (row) this.#ranAt.set(row.ranAt.getTime() / 1000);
  }
}
