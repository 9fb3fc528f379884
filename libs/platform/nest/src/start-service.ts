import { PlatformError, type Service, type Topic } from '@centralita/contracts';
import { KafkaBatchStrategy, openEventLog, type EventLog } from '@centralita/event-log';
import {
  causalToken,
  Commands,
  createDataSource,
  Database,
  EventStore,
  inboxMiddleware,
  Relay,
  startAt,
} from '@centralita/event-store';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { JWTVerifyGetKey } from 'jose';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { AccessRecorder } from './access/recorder.js';
import { remoteKeys, tokenVerifier } from './auth/token.js';
import { loadConfig, serviceEnv } from './config.js';
import { kafkaConnection } from './kafka.js';
import { keyProviderConnection } from './key-provider.js';
import { topicFeed, type FeedReader } from './feed/feed.js';
import { createLogger, describeError, NestLogger, type Logger } from './logger.js';
import { createMetrics, logMetrics, watchPool, type Metrics } from './metrics.js';
import { PlatformModule } from './platform.module.js';
import { measureBatches, watchPolls } from './runtime/consumer.js';
import { connectWhenMigrated, type Migrations } from './runtime/database.js';
import { DrainController } from './runtime/drain.js';
import { openKeyring, untilLogFits, untilTopicsFit } from './runtime/fit.js';
import { groupSampler } from './runtime/group-sampler.js';
import { Health, startOperationsServer } from './runtime/health.js';
import { untilHistoryAgrees } from './runtime/history.js';
import { createHttpAdapter, gracefulClose, observeHttp } from './runtime/http.js';
import { parkedKeys, type ParkedKeys } from './runtime/parked.js';
import { Sampler } from './runtime/sampler.js';
import { Surroundings } from './runtime/surroundings.js';
import { startTracing } from './runtime/tracing.js';
import type { Clock, PlatformDeps } from './tokens.js';

export type ServiceOptions<C = unknown> = {
  readonly service: Service;
  /** For services with several processes, for example `media`. */
  readonly role?: string;
  /** Settings of the service itself; the platform's come on top. */
  readonly schema: z.ZodType<C>;
  /** In order, `eventStoreMigrations` first. */
  readonly migrations?: Migrations;
  readonly module: (config: C, deps: PlatformDeps<C>) => DynamicModule | Type;
  /** Takes part in this group with the module's `@OnEvents` handlers. */
  readonly consumerGroup?: string;
  /** Topics that this process publishes from its event store. Those of access and operations are added; without it no relay runs. */
  readonly relayTopics?: readonly Topic[];
  /** Serves `GET /v1/feed` over this topic. */
  readonly feedTopic?: Topic;
  /** What the feed reads where the topic is not all of it. @default the events of `feedTopic` */
  readonly feed?: FeedReader;
  /** The service reads or writes customer data: it gets a keyring and must have its settings. */
  readonly customerData: boolean;
};

/** What tests replace. */
export type ServiceOverrides = {
  readonly log?: EventLog;
  readonly keys?: JWTVerifyGetKey;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** What to do when a part dies. Default: drain and exit 1. */
  readonly onCrash?: (error: Error) => void;
  /** Called before anything is built: `drainOnSignals` in a process, so that it also ends while it waits for its surroundings. */
  readonly supervise?: (drain: DrainController, logger: Logger) => void;
};

export type RunningService<C = unknown> = {
  readonly deps: PlatformDeps<C>;
  readonly app: NestFastifyApplication;
  readonly port: number;
  readonly operationsPort: number;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly drain: DrainController;
  /** Of the consumer group; null without one. */
  readonly parked: ParkedKeys | null;
};

const environmentOf = (options: Pick<ServiceOptions, 'customerData' | 'relayTopics'>) =>
  serviceEnv.extend({
    ...(options.customerData
      ? {
          KEYRING_DATABASE_URL: serviceEnv.shape.KEYRING_DATABASE_URL.unwrap(),
        }
      : {}),
    ...(options.relayTopics ? { RELAY_DATABASE_URL: serviceEnv.shape.RELAY_DATABASE_URL.unwrap() } : {}),
  } as Pick<typeof serviceEnv.shape, 'KEYRING_DATABASE_URL' | 'RELAY_DATABASE_URL'>);

/** Builds and starts a service in this process. `runService` adds signals and exit statuses; tests call it by `startTestService`. */
export const startService = async <C>(
  options: ServiceOptions<C>,
  env: NodeJS.ProcessEnv,
  overrides: ServiceOverrides = {},
): Promise<RunningService<C>> => {
  const { service, migrations = [], consumerGroup } = options;
  const [platform, config, kafka, provider] = loadConfig(
    env,
    environmentOf(options),
    options.schema,
    kafkaConnection,
    keyProviderConnection,
  );
  const name = options.role ? `${service}-${options.role}` : service;
  const logger =
    overrides.logger ??
    createLogger({
      service: name,
      level: platform.LOG_LEVEL,
      ...(platform.SERVICE_INSTANCE ? { instance: platform.SERVICE_INSTANCE } : {}),
    });
  const drain = new DrainController(logger, { totalMs: platform.DRAIN_SECONDS * 1000 });
  overrides.supervise?.(drain, logger);
  const crash =
    overrides.onCrash ??
    ((error: Error): void => {
      logger.fatal({ err: describeError(error) }, 'a part of the service died');
      void drain.drain('crash').then(() => process.exit(1));
    });
  try {
    return await build();
  } catch (error) {
    // When a signal came first this is the same drain, and whoever asked for it exits before the error, its consequence, is seen.
    await drain.drain('failed start');
    throw error;
  }

  async function build(): Promise<RunningService<C>> {
    const clock = overrides.clock ?? (() => new Date());
    const tracing = startTracing({ service: name, env: platform });
    drain.add('telemetry', 'traces', () => tracing.shutdown());
    const metrics = createMetrics({ service: name });
    const health = new Health();
    const operations = await startOperationsServer({ port: platform.METRICS_PORT, host: platform.HTTP_HOST, health, metrics });
    drain.add('telemetry', 'operations port', () => operations.close());
    drain.add('readiness', 'readiness', () => health.drain());

    const dataSource = createDataSource({
      url: platform.DATABASE_URL,
      poolSize: platform.DATABASE_POOL_SIZE,
      applicationName: `centralita-${name}`,
    });
    watchPool(metrics, dataSource, platform.DATABASE_POOL_SIZE);
    const surroundings = new Surroundings({ health, logger, signal: drain.signal });
    await connectWhenMigrated({ dataSource, migrations, surroundings, health, metrics });
    drain.check();
    const db = new Database(dataSource, { isolationGuardFired: () => metrics.rlsContextMissing.inc() });
    drain.add('close', 'database', async () => {
      if (dataSource.isInitialized) await db.close();
    });
    health.add('database', async () => {
      await db.system((tx) => tx.query('select 1'));
      return null;
    });
    const log =
      overrides.log ??
      (await openEventLog({
        ...kafka,
        clientId: `centralita-${name}`,
        logger,
        metrics: logMetrics(metrics),
      }));
    if (!overrides.log) drain.add('close', 'event log', () => log.close());
    const keyring =
      platform.KEYRING_DATABASE_URL && (options.customerData || 'open' in provider)
        ? await openKeyring({ databaseUrl: platform.KEYRING_DATABASE_URL, provider, surroundings, metrics, drain })
        : null;
    const store = new EventStore({ service, clock });
    let serving = false;

    const published = [...new Set<Topic>([...(options.relayTopics ?? []), 'access.events.v1', 'operations.events.v1'])];
    const relay =
      options.relayTopics && platform.RELAY_DATABASE_URL
        ? new Relay({
            url: platform.RELAY_DATABASE_URL,
            log,
            service,
            topics: published,
            ...(options.feedTopic ? { feeds: [options.feedTopic] } : {}),
            database: db,
            logger,
            metrics: {
              retried: ({ code }) => metrics.relayRetries.inc({ code }),
              alarm: ({ code }) => {
                metrics.alarms.inc({ part: 'relay', code });
                // What is accepted now would be gone with the right database; the next process stays closed from its start.
                if (code === 'STORE_BEHIND_LOG' && serving)
                  crash(new PlatformError(code, 'the database does not know what it has published'));
              },
            },
          })
        : null;
    if (relay) drain.add('relay', 'relay', () => relay.stop());

    const sampler = new Sampler({
      relay,
      metrics,
      ...(consumerGroup ? { group: groupSampler({ db, log, groupId: consumerGroup, metrics }) } : {}),
    });
    drain.add('close', 'sampler', () => sampler.stop());
    const recorder = new AccessRecorder({
      service,
      db,
      store,
      keyring,
      clock,
      logger,
      metrics,
      outboxAge: () => sampler.outboxAge(),
      maxOutboxAgeSeconds: platform.AUDIT_MAX_OUTBOX_AGE_SECONDS,
    });

    // The strategy of the group gives the handlers, and Nest must be there before it: calls come later than both.
    let parked: ParkedKeys | null = null;
    let consumed = (): string[] => [];
    const joined = (): ParkedKeys => {
      if (!parked) throw new PlatformError('DRAINING', 'the consumer group is not there yet');
      return parked;
    };
    const deps: PlatformDeps<C> = { config, db, store, log, keyring, logger, clock };
    const app = await NestFactory.create<NestFastifyApplication>(
      PlatformModule.forRoot({
        service,
        deps,
        dataSource,
        commands: new Commands(db),
        recorder,
        verifier: tokenVerifier(service, overrides.keys ?? remoteKeys(platform.GATEWAY_JWKS_URL)),
        waitForCause: consumerGroup
          ? (tenantId, token) => causalToken.waitFor(db, consumerGroup, tenantId, token)
          : async () => undefined,
        metrics,
        health,
        drain,
        ...(options.feedTopic ? { feed: options.feed ?? topicFeed(options.feedTopic) } : {}),
        ...(consumerGroup ? { parked: joined } : {}),
        module: options.module(config, deps),
      }),
      createHttpAdapter({ bodyLimit: platform.HTTP_BODY_LIMIT }),
      { logger: new NestLogger(logger), abortOnError: false },
    );
    // Last of all: Nest destroys providers in an order of its own, when nothing needs them any more.
    drain.add('close', 'nest', () => app.close());
    observeHttp(app.getHttpAdapter().getInstance(), metrics);

    if (consumerGroup) {
      const middleware = inboxMiddleware({
        db,
        groupId: consumerGroup,
        store,
        log,
        service,
        logger,
        metrics: {
          parked: ({ topic, code }) => metrics.poison.inc({ topic, code }),
          alarm: ({ code }) => metrics.alarms.inc({ part: 'consumer', code }),
        },
      });
      const strategy = new KafkaBatchStrategy({
        log,
        groupId: consumerGroup,
        middleware: measureBatches(metrics, logger, middleware),
        startAt: startAt(db, consumerGroup),
        onCrash: crash,
      });
      app.connectMicroservice({ strategy }, { inheritAppConfig: true });
      drain.add('consume', 'consumer', () => strategy.close());
      watchPolls(health, () => strategy.lastPollAt());
      consumed = () => [...strategy.handlers().keys()];
      parked = parkedKeys({ db, store, groupId: consumerGroup, handlers: () => strategy.handlers() });
    }

    sampler.start();
    // Before `init`: a service's own loops begin there.
    if (consumerGroup || relay) {
      await untilLogFits(surroundings, log);
      if (relay) await untilTopicsFit(surroundings, log, published, kafka.topicPartitions);
      await untilHistoryAgrees({ db, log, relay, health, metrics, logger, signal: drain.signal });
    }
    serving = true;
    await app.init();
    drain.check();
    const server = app.getHttpServer();
    drain.add('accept', 'http', gracefulClose(server));
    // People are served before the group is joined: after a crash, it first waits until the session of the dead member is over.
    await app.listen(platform.HTTP_PORT, platform.HTTP_HOST);
    const { port } = server.address() as AddressInfo;
    health.started();
    logger.info({ port, metricsPort: operations.port }, 'listening');
    if (consumerGroup) {
      await untilTopicsFit(surroundings, log, consumed(), kafka.topicPartitions);
      await app.startAllMicroservices();
    }
    drain.check();
    return { deps, app, port, operationsPort: operations.port, health, metrics, drain, parked };
  }
};
