import { join } from 'node:path';
import { stringify } from 'yaml';
import { parseManifests, type Manifest } from '../manifests/manifest.js';
import { mainChart } from '../repository.js';
import { helm, tryHelm, type HelmResult } from './run.js';

/** What a chart's `.Capabilities.APIVersions` finds in a cluster that has every operator that we render resources for. */
export const everyApi = [
  'monitoring.coreos.com/v1',
  'monitoring.coreos.com/v1/ServiceMonitor',
  'monitoring.coreos.com/v1/PodMonitor',
  'monitoring.coreos.com/v1/PrometheusRule',
  'keda.sh/v1alpha1',
  'keda.sh/v1alpha1/ScaledObject',
  'gateway.networking.k8s.io/v1',
  'gateway.networking.k8s.io/v1/HTTPRoute',
  'gateway.networking.k8s.io/v1/BackendTLSPolicy',
  'external-secrets.io/v1',
  'external-secrets.io/v1/ExternalSecret',
  'cert-manager.io/v1',
  'cert-manager.io/v1/Certificate',
  'grafana.integreatly.org/v1beta1',
  'grafana.integreatly.org/v1beta1/GrafanaDashboard',
  'kafka.strimzi.io/v1',
  'kafka.strimzi.io/v1/Kafka',
  'postgresql.cnpg.io/v1',
  'postgresql.cnpg.io/v1/Cluster',
] as const;

export type RenderOptions = {
  /** Folder of the chart, or an address that helm understands. @default the main chart */
  readonly chart?: string;
  /** @default centralita */
  readonly release?: string;
  /** @default messaging */
  readonly namespace?: string;
  /** Files of values, in order; relative ones are inside the chart. */
  readonly files?: readonly string[];
  /** Values that win over all files. */
  readonly values?: Record<string, unknown>;
  /** Groups and kinds that the cluster would know beside Kubernetes' own. @default every one */
  readonly apis?: readonly string[];
  readonly kubeVersion?: string;
  /** As `helm upgrade` renders: `.Release.IsUpgrade`. */
  readonly upgrade?: boolean;
  readonly extra?: readonly string[];
};

export const templateArguments = (options: RenderOptions): string[] => {
  const chart = options.chart ?? mainChart;
  return [
    'template',
    options.release ?? 'centralita',
    chart,
    '--namespace',
    options.namespace ?? 'messaging',
    '--kube-version',
    options.kubeVersion ?? '1.36.0',
    ...(options.apis ?? everyApi).flatMap((api) => ['--api-versions', api]),
    ...(options.files ?? []).flatMap((file) => ['--values', file.startsWith('/') ? file : join(chart, file)]),
    ...(options.upgrade ? ['--is-upgrade'] : []),
    ...(options.values ? ['--values', '-'] : []),
    ...(options.extra ?? []),
  ];
};

const input = (options: RenderOptions): { input?: string } => (options.values ? { input: stringify(options.values) } : {});

/** Renders without remembering: for what must fail, and for comparing two renders. */
export const tryRender = (options: RenderOptions = {}): HelmResult => tryHelm(templateArguments(options), input(options));

export const renderText = (options: RenderOptions = {}): string => helm(templateArguments(options), input(options));

const remembered = new Map<string, readonly Manifest[]>();

/** The rendered objects, hooks included. The same question is asked of helm once in a process; nobody may change the answer. */
export const render = (options: RenderOptions = {}): readonly Manifest[] => {
  const key = JSON.stringify(options);
  const known = remembered.get(key);
  if (known) return known;
  const manifests = parseManifests(renderText(options));
  remembered.set(key, manifests);
  return manifests;
};
