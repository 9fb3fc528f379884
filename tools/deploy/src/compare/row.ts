import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { render } from '../helm/render.js';
import { containersOf, podsOf } from '../manifests/pods.js';
import { mainChart, repository } from '../repository.js';

/** One chart of the table. Counts are of containers as rendered with the chart's defaults; the later ones of files with templates. */
export type Row = {
  readonly chart: string;
  readonly containers: number;
  readonly runAsNonRoot: number;
  readonly dropAll: number;
  readonly seccomp: number;
  readonly readOnlyRoot: number;
  readonly requests: number;
  readonly liveness: number;
  readonly readiness: number;
  readonly networkPolicy: string;
  readonly pdb: string;
  readonly hpa: string;
  readonly keda: string;
  readonly rules: string;
  readonly dashboards: string;
  readonly schema: string;
  readonly tests: string;
};

const filesIn = (folder: string, ending: string): number =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending)).length
    : 0;

const isWorkload = (kind: string): boolean => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind);

/** Objects of a kind: by default, or when the values that switch it on are given. */
const rendered = (kind: string, values: Record<string, unknown> | undefined): string => {
  const count = (of: Record<string, unknown> | undefined): number =>
    render(of ? { values: of } : {}).filter((one) => one.kind === kind).length;
  const byDefault = count(undefined);
  return byDefault > 0 || !values ? `${byDefault} (on)` : `${count(values)} (off)`;
};

const scaled = (how: 'hpa' | 'keda', names: readonly string[]): Record<string, unknown> => {
  const on = { autoscaling: { [how]: { enabled: true } } };
  const roles = ['webhook', 'media', 'sender'].filter((role) => names.includes(role));
  return {
    postgres: { defaults: { maxConnections: 2000 } },
    services: {
      ...Object.fromEntries(names.filter((name) => !roles.includes(name)).map((name) => [name, on])),
      ingest: { roles: Object.fromEntries(roles.map((role) => [role, on])) },
    },
  };
};

/** Our row, computed from a render of the chart with its defaults. */
export const ourRow = (): Row => {
  const containers = podsOf(render().filter(({ kind }) => isWorkload(kind))).flatMap((pods) =>
    containersOf(pods)
      .filter(({ init }) => !init)
      .map(({ container }) => ({ container, pod: pods.spec })),
  );
  const count = (holds: (one: (typeof containers)[number]) => boolean): number => containers.filter(holds).length;
  return {
    chart: 'centralita',
    containers: containers.length,
    runAsNonRoot: count(
      ({ container, pod }) => (container.securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) === true,
    ),
    dropAll: count(({ container }) => (container.securityContext?.capabilities?.drop ?? []).includes('ALL')),
    seccomp: count(
      ({ container, pod }) =>
        (container.securityContext?.seccompProfile ?? pod.securityContext?.seccompProfile)?.type === 'RuntimeDefault',
    ),
    readOnlyRoot: count(({ container }) => container.securityContext?.readOnlyRootFilesystem === true),
    requests: count(({ container }) => Object.keys(container.resources?.requests ?? {}).length > 0),
    liveness: count(({ container }) => container.livenessProbe !== undefined),
    readiness: count(({ container }) => container.readinessProbe !== undefined),
    networkPolicy: rendered('NetworkPolicy', undefined),
    pdb: rendered('PodDisruptionBudget', undefined),
    hpa: rendered('HorizontalPodAutoscaler', scaled('hpa', ['gateway', 'webhook'])),
    keda: rendered('ScaledObject', scaled('keda', ['media', 'sender', 'conversation', 'routing', 'billing'])),
    rules: `${filesIn(join(mainChart, 'files/alerts'), '.yaml')} alert files`,
    dashboards: `${filesIn(join(mainChart, 'files/dashboards'), '.json')} dashboards`,
    schema: existsSync(join(mainChart, 'values.schema.json')) ? 'yes' : 'no',
    tests: `${filesIn(join(mainChart, 'ci'), '.yaml')} ci, ${filesIn(join(repository, 'tools/deploy/refused'), '.yaml')} refused`,
  };
};
