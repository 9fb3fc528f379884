import type { AddressInfo } from 'node:net';
import fastifyCookie from '@fastify/cookie';
import { createDataSource, Database } from '@centralita/event-store';
import {
  connectWhenMigrated,
  createHttpAdapter,
  createLogger,
  createMetrics,
  DrainController,
  gracefulClose,
  Health,
  loadConfig,
  NestLogger,
  observeHttp,
  startOperationsServer,
  startTracing,
  Surroundings,
  type Logger,
  watchPool,
} from '@centralita/platform-nest';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { gatewayEnv } from './config.js';
import { addSecurityHeaders } from './console/security-headers.js';
import { serveConsole } from './console/static-files.js';
import { OidcLogin } from './login/oidc.js';
import { GatewayModule } from './gateway.module.js';
import { PlatformSampler } from './platform/sampler.js';
import { RouteLoader } from './proxy/route-loader.js';
import { RouteTable } from './proxy/route-table.js';
import { Sessions1764000000000 } from './session/migration.js';
import { isSecure } from './session/sessions.js';
import { Tokens } from './tokens/tokens.js';

export const gatewayMigrations = [Sessions1764000000000];

export type RunningGateway = {
  readonly port: number;
  readonly operationsPort: number;
  readonly drain: DrainController;
  readonly logger: Logger;
  readonly health: Health;
};

const BODY_LIMIT = 1024 * 1024;

export type GatewayOverrides = {
  readonly logger?: Logger;
  /** Called before anything is built: `drainOnSignals` in a process. */
  readonly supervise?: (drain: DrainController, logger: Logger) => void;
};

/** Builds and starts the gateway in this process. */
export const startGateway = async (env: NodeJS.ProcessEnv, given: GatewayOverrides = {}): Promise<RunningGateway> => {
  const [config] = loadConfig(env, gatewayEnv);
  const instanceName = config.SERVICE_INSTANCE ? { instance: config.SERVICE_INSTANCE } : {};
  const logger = given.logger ?? createLogger({ service: 'gateway', level: config.LOG_LEVEL, ...instanceName });
  const drain = new DrainController(logger, { totalMs: config.DRAIN_SECONDS * 1000 });
  given.supervise?.(drain, logger);
  try {
    return await build();
  } catch (error) {
    await drain.drain('failed start');
    throw error;
  }

  async function build(): Promise<RunningGateway> {
    const tracing = startTracing({ service: 'gateway', env: config });
    drain.add('telemetry', 'traces', () => tracing.shutdown());
    const metrics = createMetrics({ service: 'gateway' });
    const health = new Health();
    drain.add('readiness', 'readiness', () => health.drain());
    const operations = await startOperationsServer({ port: config.METRICS_PORT, host: config.HTTP_HOST, health, metrics });
    drain.add('telemetry', 'operations port', () => operations.close());

    const dataSource = createDataSource({
      url: config.DATABASE_URL,
      poolSize: config.DATABASE_POOL_SIZE,
      applicationName: 'centralita-gateway',
    });
    watchPool(metrics, dataSource, config.DATABASE_POOL_SIZE);
    const surroundings = new Surroundings({ health, logger, signal: drain.signal });
    await connectWhenMigrated({ dataSource, migrations: gatewayMigrations, surroundings, health, metrics });
    const db = new Database(dataSource, { isolationGuardFired: () => metrics.rlsContextMissing.inc() });
    drain.add('close', 'database', () => db.close());
    health.add('database', async () => {
      await db.system((tx) => tx.query('select 1'));
      return null;
    });

    const tokens = await Tokens.open(config.GATEWAY_SIGNING_KEY_FILE);
    const table = new RouteTable(logger);
    const loader = new RouteLoader(config, table, logger);
    drain.add('close', 'route loader', () => loader.stop());
    health.add('routes', () => (table.missing().length === 0 ? null : `not read: ${table.missing().join(', ')}`));

    const sampler = config.PLATFORM_TARGETS_FILE ? new PlatformSampler(config.PLATFORM_TARGETS_FILE) : null;
    drain.add('close', 'platform sampler', () => sampler?.stop());

    const app = await NestFactory.create<NestFastifyApplication>(
      GatewayModule.forRoot({ config, db, tokens, table, logger, metrics, drain, sampler }),
      createHttpAdapter({ bodyLimit: BODY_LIMIT, trustProxyHops: config.TRUSTED_PROXY_HOPS }),
      { logger: new NestLogger(logger), abortOnError: false, bodyParser: false },
    );
    drain.add('close', 'nest', () => app.close());
    const instance = app.getHttpAdapter().getInstance();
    observeHttp(instance, metrics);
    addSecurityHeaders(instance, isSecure(config));
    await instance.register(fastifyCookie);
    // Bodies pass through as they came; the service that owns the route reads them.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    await serveConsole(instance, config.CONSOLE_DIR, logger);
    await app.init();
    const server = app.getHttpServer();
    drain.add('accept', 'http', gracefulClose(server));
    loader.start();
    // Once it has answered, an outage of the provider costs new sign-ins and nobody who is signed in: it is no reason to be sent away.
    const { promise: known, resolve: knows } = Promise.withResolvers<void>();
    void surroundings
      .until('identity', () => app.get(OidcLogin).problem(), 'the identity provider has not answered yet')
      .then(knows, () => knows());
    drain.add('close', 'identity provider', () => known);
    sampler?.start();
    await app.listen(config.HTTP_PORT, config.HTTP_HOST);
    const { port } = server.address() as AddressInfo;
    health.started();
    logger.info({ port, metricsPort: operations.port }, 'listening');
    return { port, operationsPort: operations.port, drain, logger, health };
  }
};
