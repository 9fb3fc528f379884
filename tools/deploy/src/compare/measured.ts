import type { Row } from './row.js';

type Figures = readonly [
  chart: string,
  ...counts: readonly [number, number, number, number, number, number, number, number],
  ...files: readonly [string, string, string, string, string, string, string, string],
];

/**
 * Figures of other charts: rendered by helm 4.2.3 with their defaults, as they were in July and August 2026; counts of files are those of
 * their repositories. They are data, so that they do not change with the day: measure again and write a new date.
 */
export const measuredAt = 'July and August 2026, helm 4.2.3';

const figures: readonly Figures[] = [
  ['temporal', 8, 0, 0, 0, 0, 0, 5, 4, '0', '2', '0', '0', '0', '0', 'no', '17'],
  ['cert-manager', 4, 4, 4, 4, 4, 0, 2, 1, '3 (off)', '3', '0', '0', '0', '0', 'yes', '8'],
  ['external-secrets', 3, 3, 3, 3, 3, 0, 0, 2, '3 (off)', '3', '0', '0', '0', 'yes', 'yes', '30'],
  ['argo-cd', 8, 8, 8, 8, 8, 0, 2, 3, '9 (on)', '7', '3', '0', '1', '0', 'no', '0 (11 ci)'],
  ['strimzi operator', 1, 1, 1, 1, 1, 1, 1, 1, '1', '1', '0', '0', '0', 'yes', 'no', '2'],
  ['openmeter', 9, 0, 0, 0, 0, 0, 5, 5, '0', '0', '0', '0', '0', '0', 'no', '0'],
  ['lago', 12, 0, 0, 0, 0, 11, 8, 1, '1', '0', '8', '0', '0', '0', 'no', '2'],
  ['chatwoot', 6, 0, 0, 0, 0, 1, 4, 4, '0', '0', '3', '0', '0', '0', 'no', '0'],
];

export const otherRows: readonly Row[] = figures.map(
  ([
    chart,
    containers,
    runAsNonRoot,
    dropAll,
    seccomp,
    readOnlyRoot,
    requests,
    liveness,
    readiness,
    networkPolicy,
    pdb,
    hpa,
    keda,
    rules,
    dashboards,
    schema,
    tests,
  ]) => ({
    chart,
    containers,
    runAsNonRoot,
    dropAll,
    seccomp,
    readOnlyRoot,
    requests,
    liveness,
    readiness,
    networkPolicy,
    pdb,
    hpa,
    keda,
    rules,
    dashboards,
    schema,
    tests,
  }),
);
