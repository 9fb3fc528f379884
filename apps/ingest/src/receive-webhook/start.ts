import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Batcher, openEventLog, type EventLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { objectStoreOptions, openObjectStore } from '@centralita/object-store';
import {
  connectWhenMigrated,
  createHttpAdapter,
  createLogger,
  createMetrics,
  DrainController,
  gracefulClose,
  Health,
  kafkaConnection,
  keyProviderConnection,
  loadConfig,
  NestLogger,
  observeHttp,
  openKeyring,
  ProblemFilter,
  startOperationsServer,
  startTracing,
  Surroundings,
  untilHistoryAgrees,
  untilLogFits,
  untilTopicsFit,
  type Logger,
  watchPool,
} from '@centralita/platform-nest';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadApps } from '../apps.js';
import { webhookEnv } from '../config.js';
import { Directory } from '../directory/directory.js';
import { migrations } from '../services.js';
import { Arrivals } from './arrivals.js';
import { countDelivery, WEBHOOK, WebhookController, webhookMetrics, type WebhookParts } from './http.js';
import { KnownSends } from './known-sends.js';
import { Receiver } from './receiver.js';

/** The provider's own bound on a delivery. Above it: 413. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** What tests replace. */
export type WebhookOverrides = {
  readonly log?: EventLog;
  readonly clock?: () => Date;
  readonly logger?: Logger;
  /** Called before anything is built: `drainOnSignals` in a process. */
  readonly supervise?: (drain: DrainController, logger: Logger) => void;
};
export type RunningWebhook = {
  readonly port: number;
  readonly drain: DrainController;
  readonly logger: Logger;
  readonly metricsPort: number;
};

/**
 * The webhook process. It is not a service behind the gateway: no tokens, no JSON parser, one Buffer for every content type, because the
 * signature is over the received bytes.
 */
export const startWebhook = async (env: NodeJS.ProcessEnv, overrides: WebhookOverrides = {}): Promise<RunningWebhook> => {
  const [config, kafka, provider] = loadConfig(env, webhookEnv, kafkaConnection, keyProviderConnection);
  const apps = await loadApps(config.APPS_FILE);
  const name = 'ingest-webhook';
  const instance = config.SERVICE_INSTANCE ? { instance: config.SERVICE_INSTANCE } : {};
  const logger = overrides.logger ?? createLogger({ service: name, level: config.LOG_LEVEL, ...instance });
  const drain = new DrainController(logger, { totalMs: config.DRAIN_SECONDS * 1000 });
  overrides.supervise?.(drain, logger);
  try {
    const tracing = startTracing({ service: name, env: config });
    drain.add('telemetry', 'traces', () => tracing.shutdown());
    const metrics = createMetrics({ service: name });
    const health = new Health();
    const operations = await startOperationsServer({ port: config.METRICS_PORT, host: config.HTTP_HOST, health, metrics });
    drain.add('telemetry', 'operations port', () => operations.close());
    drain.add('readiness', 'readiness', () => health.drain());

    const dataSource = createDataSource({
      url: config.DATABASE_URL,
      poolSize: config.DATABASE_POOL_SIZE,
      // A delivery is answered within its budget; a statement that waits longer helps nobody.
      statementTimeoutMs: config.WEBHOOK_BUDGET_MS,
      applicationName: `centralita-${name}`,
    });
    watchPool(metrics, dataSource, config.DATABASE_POOL_SIZE);
    const surroundings = new Surroundings({ health, logger, signal: drain.signal });
    await connectWhenMigrated({ dataSource, migrations, surroundings, health, metrics });
    const db = new Database(dataSource, { isolationGuardFired: () => metrics.rlsContextMissing.inc() });
    drain.add('close', 'database', () => db.close());
    health.add('database', () => db.system((tx) => tx.query('select 1')).then(() => null));
    const log = overrides.log ?? (await openEventLog({ ...kafka, clientId: `centralita-${name}`, logger }));
    if (!overrides.log) drain.add('close', 'event log', () => log.close());
    health.add('log', async () => ((await log.admin.describeTopics(['wa.inbound.v1'])).length === 1 ? null : 'topic missing'));
    const keyring = await openKeyring({
      databaseUrl: config.KEYRING_DATABASE_URL,
      provider,
      surroundings,
      metrics,
      drain,
    });
    const batcher = new Batcher({ log });
    drain.add('flush', 'batcher', () => batcher.close());

    const edge = webhookMetrics(metrics);
    const clock = overrides.clock ?? (() => new Date());
    const receiver = new Receiver({
      keyring,
      directory: new Directory(db),
      sends: new KnownSends(db),
      batcher,
      objects: await openObjectStore(objectStoreOptions('MEDIA', config)),
      clock,
      budgetMs: config.WEBHOOK_BUDGET_MS,
      onRecorded: (delivery) => countDelivery(edge, logger, delivery),
    });
    const parts: WebhookParts = {
      apps,
      receiver,
      metrics: edge,
      logger,
      clock,
      budgetMs: config.WEBHOOK_BUDGET_MS,
      maxBytesUnderWay: config.WEBHOOK_MAX_BYTES_UNDER_WAY,
    };

    @Module({ controllers: [WebhookController], providers: [{ provide: WEBHOOK, useValue: parts }] })
    class WebhookModule {}

    const app = await NestFactory.create<NestFastifyApplication>(
      WebhookModule,
      createHttpAdapter({ bodyLimit: MAX_BODY_BYTES, requestTimeoutMs: config.WEBHOOK_REQUEST_TIMEOUT_MS }),
      {
        logger: new NestLogger(logger),
        abortOnError: false,
        bodyParser: false,
      },
    );
    drain.add('close', 'nest', () => app.close());
    app.useGlobalFilters(new ProblemFilter(logger, metrics));
    const server = app.getHttpAdapter().getInstance();
    server.removeAllContentTypeParsers();
    const arrivals = new Arrivals({ bodyBytes: MAX_BODY_BYTES, totalBytes: config.WEBHOOK_MAX_BYTES_ARRIVING });
    server.addContentTypeParser('*', (_request: unknown, payload: IncomingMessage) => arrivals.read(payload));
    // Whoever is answered before the body is there is not waited for any longer.
    server.addHook('onSend', (request, reply, payload, done) => {
      if (!request.raw.complete) reply.header('connection', 'close');
      done(null, payload);
    });
    observeHttp(server, metrics);
    await app.init();
    const http = app.getHttpServer();
    http.maxConnections = config.WEBHOOK_MAX_CONNECTIONS;
    drain.add('accept', 'http', gracefulClose(http));
    // What is answered 200 must be on the log that everybody reads.
    await untilLogFits(surroundings, log);
    await untilTopicsFit(surroundings, log, ['wa.inbound.v1'], kafka.topicPartitions);
    await untilHistoryAgrees({ db, log, relay: null, health, metrics, logger, signal: drain.signal });
    // As many may wait to be let in: what does not fit into the queue is dropped in silence, and comes again only after seconds.
    await app.listen({ port: config.HTTP_PORT, host: config.HTTP_HOST, backlog: config.WEBHOOK_MAX_CONNECTIONS });
    const { port } = http.address() as AddressInfo;
    health.started();
    logger.info({ port, metricsPort: operations.port }, 'listening');
    return { port, drain, logger, metricsPort: operations.port };
  } catch (error) {
    logger.error({ err: error }, 'the webhook could not start');
    await drain.drain('failed start');
    throw error;
  }
};
