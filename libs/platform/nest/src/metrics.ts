import type { LogMetrics } from '@centralita/event-log';
import type { KeyringMetrics } from '@centralita/keyring';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/* eslint-disable @typescript-eslint/explicit-module-boundary-types -- the type of the metrics is the list below, written once */
/**
 * Metrics of one process. Names are frozen: alerts and dashboards are written against them. Labels are closed sets (routes as
 * written, codes, topics), never ids.
 */
export const createMetrics = (options: { readonly service: string; readonly version?: string; readonly defaults?: boolean }) => {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.defaults !== false) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter<Label>({ name, help, labelNames, registers });
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames, registers });
  const histogram = <Label extends string = never>(name: string, help: string, labelNames: Label[] = [], buckets = seconds) =>
    new Histogram<Label>({ name, help, labelNames, buckets, registers });

  gauge('build_info', 'Constant 1, labelled by version.', ['version']).set({ version: options.version ?? '0.1.0' }, 1);
  return {
    registry,
    httpRequests: counter('http_requests_total', 'Answered requests.', ['method', 'route', 'status']),
    httpSeconds: histogram('http_request_seconds', 'Time from request to the end of the answer.', ['method', 'route']),
    problems: counter('problems_total', 'Problem documents sent, by code.', ['code']),
    accessRecords: counter('access_records_total', 'Access records committed.', ['outcome']),
    accessFailures: counter('access_record_failures_total', 'Answers withheld because the access could not be recorded.'),
    outboxDepth: gauge('outbox_depth', 'Events that are committed and not on the log.'),
    outboxAge: gauge('outbox_oldest_age_seconds', 'Age of the oldest unpublished event.'),
    consumerLag: gauge('kafka_consumer_lag', 'Records between the stored position of the group and the end.', [
      'group',
      'topic',
      'partition',
    ]),
    lastCommitAge: gauge('consumer_last_commit_age_seconds', 'Seconds since the group last applied a batch.', ['group']),
    rebalances: counter('rebalances_total', 'Assignments that the group has given this process.', ['group']),
    projectionLagEvents: gauge('projection_lag_events', 'Records that the projections of a group have still to apply.', [
      'group',
    ]),
    projectionLagSeconds: gauge('projection_lag_seconds', 'For how long the oldest of those has been on the log.', ['group']),
    replayProgress: gauge('replay_progress', 'Share of the log that a group has applied, 0 to 1.', ['group']),
    handlerSeconds: histogram('handler_seconds', 'Time to apply a batch.', ['topic']),
    retries: counter('retries_total', 'Batches tried again.', ['topic']),
    parkedRecords: gauge('parked_records', 'Keys whose records wait for an operator.', ['group']),
    parkedAge: gauge('parked_oldest_age_seconds', 'Age of the oldest parked record.', ['group']),
    relayRetries: counter('relay_retries_total', 'Passes of the relay that failed in a way that passes.', ['code']),
    kmsErrors: counter('kms_errors_total', 'Keys that could not be read, unwrapped or stored.', ['operation', 'code']),
    alarms: counter('alarms_total', 'Conditions under which a part stopped until somebody looks.', ['part', 'code']),
    poison: counter('poison_total', 'Records that were parked.', ['topic', 'code']),
    poolUsed: gauge('pool_used', 'Connections of the pool in use.'),
    poolWaiting: gauge('pool_waiting', 'Callers that wait for a connection.'),
    eventLoopDelay: gauge('event_loop_delay_p99_seconds', 'Event-loop delay, 99th percentile since the last scrape.'),
    /** Own metrics of a service, in the same registry. */
    counter,
    gauge,
    histogram,
  };
};
export type Metrics = ReturnType<typeof createMetrics>;

/** What a process with a consumer group gives to `openEventLog`. */
export const logMetrics = (metrics: Pick<Metrics, 'rebalances'>): LogMetrics => ({
  rebalanced: ({ groupId }) => metrics.rebalances.inc({ group: groupId }),
});

/** What a process with customer data gives to `Keyring.open`. */
export const keyringMetrics = (metrics: Pick<Metrics, 'kmsErrors'>): KeyringMetrics => ({
  failed: ({ operation, code }) => metrics.kmsErrors.inc({ operation, code }),
});
