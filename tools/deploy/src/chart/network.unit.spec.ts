import { describe, expect, it, jest } from '@jest/globals';
import { render } from '../helm/render.js';
import type { Manifest } from '../manifests/manifest.js';
import { podsOf } from '../manifests/pods.js';
import { mayConnect, policiesOf, type Endpoint } from '../rules/network.js';
import { installation } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const namespace = 'messaging';

const pod = (inNamespace: string, labels: Record<string, string>, ports: Record<string, number> = {}): Endpoint => ({
  namespace: inNamespace,
  namespaceLabels: { 'kubernetes.io/metadata.name': inNamespace },
  labels,
  ports,
});

/** Every kind of neighbour has a place of its own, so that an edge to one is not mistaken for an edge to another. */
const outside: Readonly<Record<string, readonly [Endpoint, number, ('TCP' | 'UDP')?]>> = {
  kafka: [pod(namespace, { 'strimzi.io/cluster': 'centralita' }), 9093],
  postgres: [pod(namespace, { 'cnpg.io/cluster': 'centralita-postgres' }), 5432],
  dns: [pod('kube-system', { 'k8s-app': 'kube-dns' }), 53, 'UDP'],
  idp: [{ address: '203.0.113.1' }, 443],
  s3: [{ address: '203.0.113.2' }, 443],
  graph: [{ address: '203.0.113.3' }, 443],
  kms: [{ address: '203.0.113.4' }, 8200],
  otel: [{ address: '203.0.113.5' }, 4318],
  internet: [{ address: '198.51.100.1' }, 443],
  metadata: [{ address: '169.254.169.254' }, 80],
  apiserver: [{ address: '10.96.0.1' }, 443],
};

const at = (address: string) => [{ ipBlock: { cidr: `${address}/32` } }];

const values = {
  ...installation,
  otel: { exporterEndpoint: 'http://collector:4318' },
  networkPolicy: {
    egress: {
      idp: at('203.0.113.1'),
      s3: at('203.0.113.2'),
      graph: at('203.0.113.3'),
      kms: at('203.0.113.4'),
      otel: at('203.0.113.5'),
    },
  },
};

const callers: Readonly<Record<string, Endpoint>> = {
  'ingress controller': pod('ingress', { app: 'controller' }),
  prometheus: pod('monitoring', { app: 'prometheus' }),
  'a neighbour in the namespace': pod(namespace, { app: 'stranger' }),
  'a stranger elsewhere': pod('elsewhere', { app: 'stranger' }),
};

/**
 * The network graph, restated by hand. Two edges differ from the page of decisions because the code makes them: services fetch the
 * gateway's public keys, and what writes the archive is a job of its own.
 */
const table: Readonly<Record<string, string>> = {
  'ingress controller': 'gateway:8080 ingest-webhook:8080',
  prometheus:
    'audit-log:9090 billing:9090 conversation:9090 gateway:9090 ingest-media:9090 ingest-sender:9090 ingest-webhook:9090 lag-exporter:9090 routing:9090',
  'a neighbour in the namespace': '',
  'a stranger elsewhere': '',
  gateway: 'audit-log:8080 billing:8080 conversation:8080 dns idp ingest-media:8080 otel postgres routing:8080',
  'ingest-webhook': 'dns kafka kms otel postgres s3',
  'ingest-media': 'dns gateway:8080 graph kafka kms otel postgres s3',
  'ingest-sender': 'dns gateway:8080 graph kafka kms otel postgres',
  conversation: 'dns gateway:8080 kafka kms otel postgres',
  routing: 'dns gateway:8080 kafka otel postgres',
  billing: 'dns gateway:8080 kafka otel postgres',
  'audit-log': 'dns gateway:8080 kafka kms otel postgres',
  'lag-exporter': 'dns kafka otel s3',
  migrate: 'dns postgres',
  topics: 'dns kafka',
  replay: 'dns kafka postgres',
  verify: 'dns kafka postgres',
  'projection-usage': 'dns kafka postgres',
  'projection-facts': 'dns kafka kms postgres',
  archive: 'dns kafka s3',
  selftest: [
    'audit-log:8080 audit-log:9090 billing:8080 billing:9090 conversation:8080 conversation:9090 dns gateway:8080 gateway:9090',
    'ingest-media:8080 ingest-media:9090 ingest-sender:8080 ingest-sender:9090 ingest-webhook:8080 ingest-webhook:9090 kafka',
    'lag-exporter:9090 routing:8080 routing:9090',
  ].join(' '),
};

const component = 'app.kubernetes.io/component';

/** Which connections the rendered policies let through: of all callers, to all pods and all places outside. */
const graphOf = (manifests: readonly Manifest[]): Record<string, string> => {
  const policies = policiesOf(manifests, namespace);
  const ours = new Map(
    podsOf(manifests).map(({ labels, spec }) => [
      (labels[component] ?? '').replace(/^selftest.*/, 'selftest'),
      pod(
        namespace,
        { ...labels },
        Object.fromEntries(
          spec.containers.flatMap(({ ports = [] }) =>
            ports.flatMap(({ name, containerPort }) => (name ? [[name, containerPort]] : [])),
          ),
        ),
      ),
    ]),
  );
  const targets = [
    ...Object.entries(outside).map(([name, [endpoint, port, protocol = 'TCP']]) => ({
      name,
      endpoint,
      port: { port, protocol },
    })),
    ...[...ours].flatMap(([name, endpoint]) =>
      [8080, 9090].map((port) => ({ name: `${name}:${port}`, endpoint, port: { port, protocol: 'TCP' as const } })),
    ),
  ];
  return Object.fromEntries(
    [...Object.entries(callers), ...ours].map(([from, caller]) => [
      from,
      targets
        .filter(({ name }) => !(from in callers && name in outside) && name.split(':')[0] !== from)
        .filter(({ endpoint, port }) => mayConnect(policies, caller, endpoint, port))
        .map(({ name }) => name)
        .sort()
        .join(' '),
    ]),
  );
};

describe('the network', () => {
  it('has the edges of the table and no others', () => {
    expect(graphOf(render({ values }))).toEqual(table);
  });

  it('would be seen to be wide open', () => {
    const open = graphOf(render({ values: { ...values, networkPolicy: { enabled: false } } }));
    expect(open['a stranger elsewhere']).toContain('conversation:8080');
    expect(open['billing']).toContain('internet');
  });

  it('would be seen to have one edge too many, or one too few', () => {
    const extra = { networkPolicy: { extraEgress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] } };
    expect(graphOf(render({ values: { ...values, services: { billing: extra } } }))['billing']).not.toBe(table['billing']);
    const without = render({ values }).filter(
      ({ kind, metadata }) => kind !== 'NetworkPolicy' || !metadata.name.endsWith('-billing'),
    );
    expect(graphOf(without)).not.toEqual(table);
  });

  it('opens the internet, and nothing inside, where a place is not named', () => {
    const graph = graphOf(render({ values: { ...values, networkPolicy: {} } }));
    expect(graph['ingest-media']?.split(' ')).toEqual(expect.arrayContaining(['internet', 'graph', 's3']));
    expect(graph['billing']?.split(' ')).not.toContain('internet');
    for (const edges of Object.values(graph)) {
      expect(edges.split(' ')).not.toContain('metadata');
      expect(edges.split(' ')).not.toContain('apiserver');
    }
  });
});
