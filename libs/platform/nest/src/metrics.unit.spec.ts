import { describe, expect, it } from '@jest/globals';
import { createMetrics, keyringMetrics, logMetrics } from './metrics.js';

/** Alerts and dashboards are written against these names: one may be added, none changed or dropped. */
const frozen = [
  'access_record_failures_total',
  'access_records_total',
  'alarms_total',
  'build_info',
  'consumer_last_commit_age_seconds',
  'event_loop_delay_p99_seconds',
  'handler_seconds',
  'http_request_seconds',
  'http_requests_total',
  'kafka_consumer_lag',
  'kms_errors_total',
  'outbox_depth',
  'outbox_oldest_age_seconds',
  'parked_oldest_age_seconds',
  'parked_records',
  'poison_total',
  'pool_used',
  'pool_waiting',
  'problems_total',
  'projection_lag_events',
  'projection_lag_seconds',
  'rebalances_total',
  'relay_retries_total',
  'replay_progress',
  'retries_total',
];

describe(createMetrics.name, () => {
  const metrics = createMetrics({ service: 'test', defaults: false });

  it('makes every metric of the platform under its frozen name', async () => {
    const made = await metrics.registry.getMetricsAsJSON();
    expect(made.map(({ name }) => name).sort()).toEqual(frozen);
    expect(made.filter(({ help }) => help === '')).toEqual([]);
  });

  it('counts what the log and the keyring report', async () => {
    logMetrics(metrics).rebalanced?.({ groupId: 'billing', partitions: 12 });
    keyringMetrics(metrics).failed?.({ operation: 'sealer', code: 'DATABASE_UNAVAILABLE' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('rebalances_total{group="billing",service="test"} 1');
    expect(text).toContain('kms_errors_total{operation="sealer",code="DATABASE_UNAVAILABLE",service="test"} 1');
  });
});
