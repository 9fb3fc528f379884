export { DenialsController, recordDenial } from './access/denials.controller.js';
export { manifestOf, sortedCommitments } from './access/merkle.js';
export { personalFields } from './access/personal.js';
export { AccessRecorder, type AccessRecorderOptions } from './access/recorder.js';
export type { Actor } from './auth/actor.js';
export { remoteKeys, TOKEN_ISSUER, TokenClaims, tokenVerifier, type TokenScope, type TokenVerifier } from './auth/token.js';
export * from './config.js';
export * from './environment.js';
export { keyProviderConnection, keyProviderEnv, type KeyProviderConnection } from './key-provider.js';
export { kafkaConnection, kafkaEnv, type KafkaConnection } from './kafka.js';
export { currentContext, runInContext, type RequestContext } from './context.js';
export { binary, isBinarySchema, type Binary } from './endpoint/binary.js';
export { versionOf } from './endpoint/interceptor.js';
export { OpenRoute } from './endpoint/open.js';
export { openApiDocument } from './endpoint/openapi.js';
export { RouteRegistry, routeProblems } from './endpoint/registry.js';
export { Disclosure, disclosure, Reply, reply, type DisclosureOptions, type ReplyOptions } from './endpoint/result.js';
export {
  Endpoint,
  route,
  type AccessEventType,
  type Audited,
  type EndpointInput,
  type InputOf,
  type Method,
  type OutputOf,
  type Route,
} from './endpoint/route.js';
export { asPlatformError, ProblemFilter, sendProblem } from './errors/filter.js';
export { codeForStatus, httpAnswers, problemOf, problemType } from './errors/http.js';
export { FeedController, MAX_FEED_WAIT_SECONDS, readFeed } from './feed/feed.controller.js';
export { FeedSource, topicFeed, type FeedReader } from './feed/feed.js';
export { createLogger, describeError, NestLogger, type Logger, type LoggerOptions } from './logger.js';
export { createMetrics, keyringMetrics, logMetrics, watchPool, type Metrics } from './metrics.js';
export { metricCatalogue, processes, type MetricEntry, type MetricName, type ProcessName } from './metrics/catalogue.js';
export { listParkedKeys, ParkedController, retryParkedKey, skipParkedRecord } from './operations/parked.controller.js';
export { PlatformModule, type PlatformModuleOptions } from './platform.module.js';
export { companionsOf, settingsOf } from './settings.js';
export { exitWith, migrateFromEnv, migratorEnv, runService } from './run-service.js';
export { runProjection, type Projection, type ProjectionsOptions } from './projections.js';
export { startService, type RunningService, type ServiceOptions, type ServiceOverrides } from './start-service.js';
export {
  connectWhenMigrated,
  missingMigrations,
  runMigrations,
  schemaProblem,
  schemaVersionOf,
  type Migration,
  type Migrations,
  type SchemaProblem,
} from './runtime/database.js';
export { openKeyring, untilLogFits, untilTopicsFit } from './runtime/fit.js';
export { sentenceOf, Surroundings } from './runtime/surroundings.js';
export { DrainController, drainOnSignals, drainPhases, type DrainPhase } from './runtime/drain.js';
export { Health, startOperationsServer, type HealthCheck, type OperationsServer } from './runtime/health.js';
export { untilHistoryAgrees, type HistoryOptions } from './runtime/history.js';
export { createHttpAdapter, gracefulClose, observeHttp, underRequestSpan } from './runtime/http.js';
export { parkedKeys, type Operator, type ParkedKeys } from './runtime/parked.js';
export { LagClock } from './runtime/group-sampler.js';
export { every } from './runtime/sampler.js';
export { startTracing, type Tracing, type TracingOptions } from './runtime/tracing.js';
export * from './tokens.js';
