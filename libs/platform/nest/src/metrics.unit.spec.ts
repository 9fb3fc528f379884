import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createMetrics, keyringMetrics, logMetrics, watchPool } from './metrics.js';
import { metricCatalogue, processes, type MetricEntry, type MetricName } from './metrics/catalogue.js';

type Frozen = Readonly<Record<string, { readonly type: string; readonly labels: readonly string[] }>>;
/** Alerts, dashboards and other people's rules are written against these: one may be added, none changed or dropped. */
const frozen = JSON.parse(readFileSync(new URL('./metrics/frozen.json', import.meta.url), 'utf8')) as Frozen;
const catalogue: Readonly<Record<string, MetricEntry>> = metricCatalogue;

describe('metricCatalogue', () => {
  it('has every frozen metric as it was frozen, and freezes what it adds', () => {
    const now = Object.fromEntries(Object.entries(catalogue).map(([name, { type, labels }]) => [name, { type, labels }]));
    expect(now).toEqual(frozen);
  });

  it('names metrics as Prometheus does: seconds, totals of counters, help in a sentence, labels once', () => {
    for (const [name, { type, help, labels, by }] of Object.entries(catalogue)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: type === 'counter' });
      expect({ name, help: /^[A-Z0-9].*\.$/.test(help) }).toEqual({ name, help: true });
      expect(new Set(labels).size).toBe(labels.length);
      expect(by.length).toBeGreaterThan(0);
      // The label of the process itself, and those that targets bring.
      expect(labels.filter((label) => ['service', 'namespace', 'pod', 'job', 'instance', 'tenant'].includes(label))).toEqual([]);
    }
  });
});

describe(createMetrics.name, () => {
  it.each(processes)('exports of %s what the catalogue says, and nothing else', async (service) => {
    const metrics = createMetrics({ service, defaults: false });
    for (const [name, { type }] of Object.entries(catalogue)) (metrics[type] as (name: string) => unknown)(name);
    const expected = Object.entries(catalogue).flatMap(([name, { by }]) => (by.includes(service) ? [name] : []));
    expect((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  it('gives the same metric to whoever asks twice', () => {
    const metrics = createMetrics({ service: 'routing', defaults: false });
    expect(metrics.counter('routing_inputs_total')).toBe(metrics.counter('routing_inputs_total'));
    expect(() => metrics.gauge('no_such_metric' as MetricName as never)).toThrow(TypeError);
  });

  it('counts what the log and the keyring report, and looks at pools before a scrape', async () => {
    const metrics = createMetrics({ service: 'conversation', defaults: false });
    logMetrics(metrics).rebalanced?.({ groupId: 'conversation', partitions: 12 });
    keyringMetrics(metrics).failed?.({ operation: 'sealer', code: 'DATABASE_UNAVAILABLE' });
    watchPool(metrics, { driver: { master: { totalCount: 4, idleCount: 1, waitingCount: 2 } } }, 10);
    for (const look of metrics.beforeScrape) look();
    const text = await metrics.registry.metrics();
    expect(text).toContain('rebalances_total{group="conversation",service="conversation"} 1');
    expect(text).toContain('kms_errors_total{operation="sealer",code="DATABASE_UNAVAILABLE",service="conversation"} 1');
    expect(text).toContain('pool_size{pool="main",service="conversation"} 10');
    expect(text).toContain('pool_used{pool="main",service="conversation"} 3');
    expect(text).toContain('pool_waiting{pool="main",service="conversation"} 2');
  });
});
