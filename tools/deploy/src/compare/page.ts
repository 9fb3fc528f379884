import { join } from 'node:path';
import { repository } from '../repository.js';
import { measuredAt, otherRows } from './measured.js';
import { ourRow, type Row } from './row.js';

export const comparisonFile = join(repository, 'docs/reference/chart-comparison.md');

const columns: readonly (readonly [title: string, field: keyof Row])[] = [
  ['chart', 'chart'],
  ['n', 'containers'],
  ['runAsNonRoot', 'runAsNonRoot'],
  ['drop ALL', 'dropAll'],
  ['seccomp', 'seccomp'],
  ['read-only root', 'readOnlyRoot'],
  ['requests', 'requests'],
  ['liveness', 'liveness'],
  ['readiness', 'readiness'],
  ['NetworkPolicy', 'networkPolicy'],
  ['PDB', 'pdb'],
  ['HPA', 'hpa'],
  ['KEDA', 'keda'],
  ['PrometheusRule', 'rules'],
  ['dashboards', 'dashboards'],
  ['schema', 'schema'],
  ['chart tests', 'tests'],
];

const line = (row: Row): string => {
  const cells = columns.map(([, field]) => String(row[field]));
  return `| ${(row.chart === 'centralita' ? cells.map((cell) => `**${cell}**`) : cells).join(' | ')} |`;
};

/** The page: our row computed now, the others as they were measured. */
export const comparisonPage = (): string => `# The chart beside others

Made by \`npm run chart:compare\`; do not edit. Containers (n) are those of Deployments, StatefulSets, Jobs and CronJobs as a chart renders them
with its defaults; the columns up to readiness count those containers. From NetworkPolicy on: objects that our chart renders, "(off)" when a
value must switch them on, and files of templates for the others. Jobs run to their end, so they have no probes. Our row is computed from a
render of this checkout; the others are figures of ${measuredAt}.

| ${columns.map(([title]) => title).join(' | ')} |
|${columns.map(() => '---').join('|')}|
${[ourRow(), ...otherRows].map(line).join('\n')}
`;
