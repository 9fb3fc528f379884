import { metricCatalogue, processes, type MetricEntry } from '@centralita/platform-nest';

const entries: readonly [string, MetricEntry][] = Object.entries(metricCatalogue);

const byText = (by: readonly string[]): string => {
  const missing = processes.filter((name) => !by.includes(name));
  if (missing.length === 0) return 'every process';
  return missing.length === 1 ? `every process but ${missing[0]}` : by.join(', ');
};

const row = ([name, { type, labels, help, by }]: [string, MetricEntry]): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ') || '-'} | ${help} | ${byText(by)} |`;

/** docs/reference/metrics.md: what the catalogue of metrics says. */
export const metricsPage = (): string => `# Metrics

Made from the catalogue in \`libs/platform/nest/src/metrics/catalogue.ts\`: a process exports what stands here, and nothing else of ours. Names,
types and labels are frozen: something may be added, nothing is renamed or dropped, so what you write against them goes on working.

\`/metrics\` of \`METRICS_PORT\` serves them, with the label \`service\` = name of the process, and beside them what the client library tells of
Node itself (\`process_*\`, \`nodejs_*\`). No label holds an id of a tenant or a customer. Alerts and objectives:
[observability](../how-to/observability.md).

| metric | type | labels | meaning | exported by |
|---|---|---|---|---|
${entries.map(row).join('\n')}

## Histograms

| metric | bounds in seconds |
|---|---|
${entries.flatMap(([name, { buckets }]) => (buckets ? [`| \`${name}\` | ${buckets.join(', ')} |`] : [])).join('\n')}
`;
