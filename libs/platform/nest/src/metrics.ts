import type { LogMetrics } from '@centralita/event-log';
import type { KeyringMetrics } from '@centralita/keyring';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  metricCatalogue,
  type MetricEntry,
  type MetricLabel,
  type MetricName,
  type MetricNameOf,
  type ProcessName,
} from './metrics/catalogue.js';

/* eslint-disable @typescript-eslint/explicit-module-boundary-types -- the type of the metrics is the catalogue, written once */
/**
 * Metrics of one process, from {@link metricCatalogue}. Those that the catalogue does not give to this process can be set like all
 * others, and are not exported.
 */
export const createMetrics = (options: { readonly service: string; readonly version?: string; readonly defaults?: boolean }) => {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.defaults !== false) collectDefaultMetrics({ register: registry });
  const made = new Map<MetricName, unknown>();
  const once = <Made>(name: MetricName, make: (entry: Settings) => Made): Made => {
    const { help, by, labels, buckets } = metricCatalogue[name] as MetricEntry;
    const metric =
      made.get(name) ??
      make({ name, help, labels, buckets, registers: by.includes(options.service as ProcessName) ? [registry] : [] });
    made.set(name, metric);
    return metric as Made;
  };
  const counter = <Name extends MetricNameOf<'counter'>>(name: Name): Counter<MetricLabel<Name>> =>
    once(name, ({ labels, ...rest }) => new Counter({ ...rest, labelNames: labels }));
  const gauge = <Name extends MetricNameOf<'gauge'>>(name: Name): Gauge<MetricLabel<Name>> =>
    once(name, ({ labels, ...rest }) => new Gauge({ ...rest, labelNames: labels }));
  const histogram = <Name extends MetricNameOf<'histogram'>>(name: Name): Histogram<MetricLabel<Name>> =>
    once(
      name,
      ({ labels, buckets = [], ...rest }) =>
        new Histogram({ ...rest, labelNames: labels as MetricLabel<Name>[], buckets: [...buckets] }),
    );

  gauge('build_info').set({ version: options.version ?? '0.1.0' }, 1);
  return {
    registry,
    /** Called before each scrape, for what is cheap to look at and always there. */
    beforeScrape: [] as (() => void)[],
    httpRequests: counter('http_requests_total'),
    httpSeconds: histogram('http_request_seconds'),
    problems: counter('problems_total'),
    accessRecords: counter('access_records_total'),
    accessFailures: counter('access_record_failures_total'),
    outboxDepth: gauge('outbox_depth'),
    outboxAge: gauge('outbox_oldest_age_seconds'),
    consumerLag: gauge('kafka_consumer_lag'),
    lastCommitAge: gauge('consumer_last_commit_age_seconds'),
    rebalances: counter('rebalances_total'),
    projectionLagEvents: gauge('projection_lag_events'),
    projectionLagSeconds: gauge('projection_lag_seconds'),
    projectionDelay: histogram('projection_delay_seconds'),
    replayProgress: gauge('replay_progress'),
    consumedRecords: counter('consumer_records_total'),
    handlerSeconds: histogram('handler_seconds'),
    retries: counter('retries_total'),
    parkedRecords: gauge('parked_records'),
    parkedAge: gauge('parked_oldest_age_seconds'),
    relayRetries: counter('relay_retries_total'),
    kmsErrors: counter('kms_errors_total'),
    alarms: counter('alarms_total'),
    poison: counter('poison_total'),
    poolSize: gauge('pool_size'),
    poolUsed: gauge('pool_used'),
    poolWaiting: gauge('pool_waiting'),
    schemaSkew: gauge('schema_skew'),
    rlsContextMissing: counter('rls_context_missing_total'),
    readinessFailing: gauge('readiness_failing'),
    eventLoopDelay: gauge('event_loop_delay_p99_seconds'),
    /** Metrics of a service, by their names in the catalogue; asked twice, the same. */
    counter,
    gauge,
    histogram,
  };
};
/* eslint-enable @typescript-eslint/explicit-module-boundary-types */
export type Metrics = ReturnType<typeof createMetrics>;

type Settings = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets: readonly number[] | undefined;
  readonly registers: Registry[];
};

/** What a process with a consumer group gives to `openEventLog`. */
export const logMetrics = (metrics: Pick<Metrics, 'rebalances'>): LogMetrics => ({
  rebalanced: ({ groupId }) => metrics.rebalances.inc({ group: groupId }),
});

/** What a process with customer data gives to `Keyring.open`. */
export const keyringMetrics = (metrics: Pick<Metrics, 'kmsErrors'>): KeyringMetrics => ({
  failed: ({ operation, code }) => metrics.kmsErrors.inc({ operation, code }),
});

type Pool = { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };

/** Has the pool behind a data source looked at before each scrape. */
export const watchPool = (
  metrics: Pick<Metrics, 'beforeScrape' | 'poolSize' | 'poolUsed' | 'poolWaiting'>,
  dataSource: { readonly driver: object },
  size: number,
  pool = 'main',
): void => {
  metrics.poolSize.set({ pool }, size);
  metrics.beforeScrape.push(() => {
    const { master } = dataSource.driver as { readonly master?: Pool };
    metrics.poolUsed.set({ pool }, master ? master.totalCount - master.idleCount : 0);
    metrics.poolWaiting.set({ pool }, master?.waitingCount ?? 0);
  });
};
