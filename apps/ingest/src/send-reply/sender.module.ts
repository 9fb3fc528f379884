import { randomUUID } from 'node:crypto';
import type { EventLog } from '@centralita/event-log';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import {
  CLOCK,
  CONFIG,
  DRAIN,
  EVENT_LOG,
  LOGGER,
  METRICS,
  type Clock,
  type DrainController,
  type Logger,
  type Metrics,
} from '@centralita/platform-nest';
import { Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { loadApps } from '../apps.js';
import { graphClients } from '../graph.js';
import type { SenderEnv } from '../config.js';
import { Outbound } from '../outbound.js';
import { Dispatcher } from './dispatcher.js';
import { SendReplies } from './handler.js';
import { Heard } from './heard.js';
import { SendLedger } from './ledger.js';
import { rebuildLedger } from './rebuild.js';

/** Group under which the role reads replies and statuses. */
export const SENDER_GROUP = 'ingest-sender';

/** The sender role: takes up replies from the log and calls the provider, each reply at most once. */
@Module({
  controllers: [SendReplies],
  providers: [{ provide: SendLedger, useFactory: (db: Database) => new SendLedger(db, randomUUID()), inject: [Database] }],
})
export class SenderModule implements OnApplicationBootstrap {
  constructor(
    private readonly ledger: SendLedger,
    private readonly db: Database,
    private readonly keyring: Keyring,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(CONFIG) private readonly config: SenderEnv,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(DRAIN) private readonly drain: DrainController,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { config } = this;
    const apps = await loadApps(config.APPS_FILE);
    const read = await rebuildLedger(this.db, this.log);
    if (read > 0) this.logger.info({ events: read }, 'compared the send ledger with the log');
    const outcomes = this.metrics.counter('replies_total');
    const dispatcher = new Dispatcher({
      ledger: this.ledger,
      heard: new Heard(this.db, this.log, SENDER_GROUP),
      outbound: new Outbound(this.log, this.keyring, this.clock),
      keyring: this.keyring,
      apps,
      clientOf: graphClients(apps, config),
      clock: this.clock,
      logger: this.logger,
      callSeconds: config.GRAPH_TIMEOUT_MS / 1000,
      concurrency: config.SEND_CONCURRENCY,
      ratePerSecond: config.SEND_RATE_PER_SECOND,
      pairIntervalMs: config.SEND_PAIR_INTERVAL_MS,
      pairBurst: config.SEND_PAIR_BURST,
      unresolvedAfterSeconds: config.UNRESOLVED_AFTER_SECONDS,
      onOutcome: (outcome) => outcomes.inc({ outcome }),
    });
    this.ledger.onEnqueued(() => dispatcher.wakeSoon());
    // Calls under way end before the log and the database go.
    this.drain.add('flush', 'dispatcher', () => dispatcher.stop());
    dispatcher.start();
  }
}
