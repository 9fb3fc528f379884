import type { EventLog } from '@centralita/event-log';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { objectStoreOptions, openObjectStore, type ObjectStore } from '@centralita/object-store';
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
import type { MediaEnv } from '../config.js';
import { graphClients } from '../graph.js';
import { SubjectController } from '../look-up-subject/http.js';
import { Outbound } from '../outbound.js';
import { MediaFetcher } from './fetcher.js';
import { NoteMedia } from './handler.js';
import { MediaController, OBJECTS } from './http.js';
import { MediaJobs } from './jobs.js';
import { MediaMemory } from './memory.js';

/** The media role: fetches what customers sent, and serves it as an audited query; beside it the directory's one query. */
@Module({
  controllers: [NoteMedia, MediaController, SubjectController],
  providers: [
    { provide: MediaJobs, useFactory: (db: Database) => new MediaJobs(db), inject: [Database] },
    {
      provide: MediaMemory,
      useFactory: (config: MediaEnv) => new MediaMemory(config.MEDIA_MEMORY_BYTES),
      inject: [CONFIG],
    },
    {
      provide: OBJECTS,
      useFactory: (config: MediaEnv) => openObjectStore(objectStoreOptions('MEDIA', config)),
      inject: [CONFIG],
    },
  ],
})
export class MediaModule implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: MediaJobs,
    private readonly keyring: Keyring,
    private readonly memory: MediaMemory,
    @Inject(OBJECTS) private readonly objects: ObjectStore,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(CONFIG) private readonly config: MediaEnv,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(DRAIN) private readonly drain: DrainController,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { config } = this;
    const apps = await loadApps(config.APPS_FILE);
    const outcomes = this.metrics.counter('media_total');
    const fetcher = new MediaFetcher({
      jobs: this.jobs,
      objects: this.objects,
      outbound: new Outbound(this.log, this.keyring, this.clock),
      keyring: this.keyring,
      memory: this.memory,
      apps,
      clientOf: graphClients(apps, config),
      clock: this.clock,
      logger: this.logger,
      maxBytes: config.MEDIA_MAX_BYTES,
      concurrency: config.MEDIA_CONCURRENCY,
      backoffSeconds: config.MEDIA_BACKOFF_MS / 1000,
      onOutcome: (outcome) => outcomes.inc({ outcome }),
    });
    this.drain.add('flush', 'media fetcher', () => fetcher.stop());
    fetcher.start();
  }
}
