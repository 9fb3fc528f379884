import { setTimeout as sleep } from 'node:timers/promises';
import { objectStoreEnv, objectStoreOptions, openObjectStore, type ObjectStore } from '@centralita/object-store';
import { openEventLog, type EventLog } from '@centralita/event-log';
import {
  createLogger,
  createMetrics,
  describeError,
  Health,
  kafkaConnection,
  LagClock,
  loadConfig,
  platformEnv,
  startOperationsServer,
  type Logger,
  type Metrics,
} from '@centralita/platform-nest';
import { z } from 'zod';
import { archiveLagSeconds } from '../archive/manifest.js';
import { LagMeter, topicDifferences } from './measure.js';
import { firstOf, NewestEvents } from './newest-events.js';

const LAG_MS = 5_000;
const SLOW_MS = 30_000;
/** Beyond this nothing that is exported is true any more. */
const STALE_SECONDS = 60;
/** Longest wait for measurements that are under way: a log that is away holds nobody up. */
const STOP_MS = 5_000;

const { HTTP_HOST, METRICS_PORT, LOG_LEVEL, SERVICE_INSTANCE } = platformEnv.shape;
/** With ARCHIVE_DIR or ARCHIVE_S3_BUCKET, how old the archive is is measured too. */
export const exporterEnv = z.object({ HTTP_HOST, METRICS_PORT, LOG_LEVEL, SERVICE_INSTANCE, ...objectStoreEnv('ARCHIVE') });
type ExporterEnv = z.infer<typeof exporterEnv>;

export type Exporter = { readonly port: number; close(): Promise<void> };
export type ExporterOverrides = {
  readonly log?: EventLog;
  readonly logger?: Logger;
  /** Between two measurements of lag. */
  readonly lagMs?: number;
};

const archiveOf = async (config: ExporterEnv): Promise<ObjectStore | null> =>
  config.ARCHIVE_DIR || config.ARCHIVE_S3_BUCKET ? openObjectStore(objectStoreOptions('ARCHIVE', config)) : null;

/** Measures from outside of the consumers and serves /metrics and the probes of METRICS_PORT. It changes nothing, so several may run. */
export const startExporter = async (env: NodeJS.ProcessEnv, overrides: ExporterOverrides = {}): Promise<Exporter> => {
  const [config, kafka] = loadConfig(env, exporterEnv, kafkaConnection);
  const service = 'lag-exporter';
  const instance = config.SERVICE_INSTANCE ? { instance: config.SERVICE_INSTANCE } : {};
  const logger = overrides.logger ?? createLogger({ service, level: config.LOG_LEVEL, ...instance });
  const metrics = createMetrics({ service });
  const health = new Health();
  const archive = await archiveOf(config);
  const log = overrides.log ?? (await openEventLog({ ...kafka, clientId: `centralita-${service}`, logger }));

  let measuredAt = performance.now();
  const age = (): number => (performance.now() - measuredAt) / 1000;
  metrics.beforeScrape.push(() => metrics.gauge('lag_sample_age_seconds').set(age()));
  health.add('measurement', () => (age() > STALE_SECONDS ? `nothing was measured for ${Math.round(age())} s` : null));

  const meter = new LagMeter(metrics, () => new LagClock());
  const newest = new NewestEvents(metrics);
  const told = toldOnce(logger);
  /** At once, and again `ms` after each time. Gives how to stop, which lasts until what is under way has ended. */
  const start = (ms: number, what: string, work: () => Promise<void>): (() => Promise<void>) => {
    const measure = told(what);
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    let underWay: Promise<void>;
    const again = async (): Promise<void> => {
      await measure(work);
      if (!stopped) timer = setTimeout(() => void (underWay = again()), ms).unref();
    };
    underWay = again();
    return () => {
      stopped = true;
      clearTimeout(timer);
      return underWay;
    };
  };
  const stops = [
    start(overrides.lagMs ?? LAG_MS, 'lag', async () => {
      await meter.measure(log);
      measuredAt = performance.now();
    }),
    start(SLOW_MS, 'topics', () => checkTopics(log, metrics)),
    start(SLOW_MS, 'events', () => newest.look(log)),
    ...(archive ? [start(SLOW_MS, 'archive', () => measureArchive(archive, log, metrics))] : []),
  ];
  const server = await startOperationsServer({ port: config.METRICS_PORT, host: config.HTTP_HOST, health, metrics });
  health.started();
  logger.info({ metricsPort: server.port, archive: archive !== null }, 'listening');
  return {
    port: server.port,
    close: async () => {
      health.drain();
      // A client that is closed in the middle of a question connects anew to ask it again, and nobody closes that connection.
      const stopped = Promise.all(stops.map((stop) => stop()));
      await server.close();
      await Promise.race([stopped, sleep(STOP_MS, undefined, { ref: false })]);
      if (!overrides.log) await log.close();
    },
  };
};

const checkTopics = async (log: EventLog, metrics: Metrics): Promise<void> => {
  const differences = await topicDifferences(log.admin);
  const gauge = metrics.gauge('topic_mismatch');
  gauge.reset();
  for (const { topic, setting } of differences) gauge.set({ topic, setting }, 1);
};

/** Before the first manifest the archive lacks everything: it lags by the age of the oldest message. */
const measureArchive = async (archive: ObjectStore, log: EventLog, metrics: Metrics): Promise<void> => {
  const now = Date.now();
  const lag = await archiveLagSeconds(archive, new Date(now));
  const first = lag === null ? await firstOf(log, 'wa.inbound.v1') : null;
  metrics.gauge('archive_lag_seconds').set(lag ?? (first === null ? 0 : (now - first) / 1000));
};

/** Tells a failure when it begins and when it is over; in between its age says it. */
const toldOnce =
  (logger: Logger) =>
  (what: string): ((work: () => Promise<void>) => Promise<void>) => {
    let failing = false;
    return async (work) => {
      try {
        await work();
        if (failing) logger.info({ what }, 'measured again');
        failing = false;
      } catch (error) {
        if (!failing) logger.warn({ what, err: describeError(error) }, 'cannot be measured');
        failing = true;
      }
    };
  };
