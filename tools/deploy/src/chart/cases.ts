import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { everyApi, type RenderOptions } from '../helm/render.js';
import { mainChart } from '../repository.js';

export type Case = { readonly name: string; readonly options: RenderOptions };

const yamlFiles = (folder: string): string[] =>
  existsSync(join(mainChart, folder))
    ? readdirSync(join(mainChart, folder))
        .filter((file) => file.endsWith('.yaml'))
        .sort()
        .map((file) => `${folder}/${file}`)
    : [];

/** Values that an installation of any profile must give, because no chart can know them. */
export const installation = {
  image: { registry: 'registry.example.com', tag: '0.1.0' },
  oidc: { issuer: 'https://login.example.com', clientId: 'centralita', requiredAcr: ['urn:example:mfa'] },
  exposure: { webhook: { host: 'hooks.example.com' }, gateway: { host: 'console.example.com' } },
  kms: { provider: 'vault', vault: { address: 'https://vault.vault.svc:8200' } },
  media: { s3: { bucket: 'media', region: 'eu-west-1' } },
  archive: { enabled: true, s3: { bucket: 'archive', region: 'eu-west-1' }, objectLock: { mode: 'COMPLIANCE', days: 3650 } },
};

const names = ['gateway', 'conversation', 'routing', 'billing', 'audit-log', 'lag-exporter'];
const roles = ['webhook', 'media', 'sender'];
const switched = (enabled: Readonly<Record<string, boolean>>): Record<string, unknown> => ({
  ...Object.fromEntries(names.map((name) => [name, { enabled: enabled[name] ?? false }])),
  ingest: { roles: Object.fromEntries(roles.map((role) => [role, { enabled: enabled[`ingest-${role}`] ?? false }])) },
});

const keda = { autoscaling: { keda: { enabled: true } } };
const hpa = { autoscaling: { hpa: { enabled: true } } };

const allOn = {
  ...installation,
  commonLabels: { team: 'messaging' },
  commonAnnotations: { contact: 'platform' },
  image: { ...installation.image, pullSecrets: [{ name: 'registry' }], digests: { gateway: `sha256:${'0'.repeat(64)}` } },
  defaults: {
    podLabels: { tier: 'app' },
    podAnnotations: { note: 'x' },
    priorityClassName: 'system-cluster-critical',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    hostUsers: false,
    schedulerName: 'default-scheduler',
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    extraEnv: [{ name: 'EXTRA', value: 'of {{ .Release.Name }}' }],
    extraVolumes: [{ name: 'extra', emptyDir: { sizeLimit: '1Mi' } }],
    extraVolumeMounts: [{ name: 'extra', mountPath: '/extra' }],
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/x' } },
    networkPolicy: { extraEgress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 8200, protocol: 'TCP' }] }] },
  },
  services: {
    gateway: hpa,
    ingest: { roles: { webhook: hpa, media: keda, sender: keda } },
    conversation: keda,
    routing: keda,
    billing: keda,
  },
  exposure: {
    webhook: {
      host: 'hooks.example.com',
      httpRoute: { enabled: true, parentRefs: [{ name: 'public', namespace: 'gateways' }] },
    },
    gateway: {
      host: 'console.example.com',
      httpRoute: {
        enabled: true,
        parentRefs: [{ name: 'public', namespace: 'gateways' }],
        backendTLSPolicy: {
          enabled: true,
          hostname: 'gateway.internal',
          caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'authority' }],
        },
      },
    },
  },
  monitoring: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    rules: { enabled: true, alertLabels: { team: 'messaging' } },
    dashboards: { enabled: true, grafanaOperator: { enabled: true } },
  },
  postgres: { defaults: { maxConnections: 1500 } },
  otel: {
    exporterEndpoint: 'http://collector.observability:4318',
    headers: { existingSecret: 'otel-headers' },
    resourceAttributes: { region: 'eu' },
  },
  accounts: { inline: { accounts: [] } },
  tenants: { inline: [] },
  templates: { inline: { templates: [], dispositions: [] } },
  secretDelivery: {
    externalSecrets: { enabled: true, storeRef: { name: 'vault' } },
    reloaderAnnotations: { 'reloader.stakater.com/auto': 'true' },
  },
  egressProxy: { url: 'http://proxy.egress:3128', noProxy: ['example.com'] },
  extraObjects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own' }, data: { of: '{{ .Release.Name }}' } }],
};

const allOff = {
  services: switched({}),
  jobs: { replay: { enabled: false }, verify: { enabled: false }, projections: { enabled: false } },
  archive: { enabled: false },
  kafka: { topics: { manage: 'none' } },
  migrations: { mode: 'none' },
  networkPolicy: { enabled: false },
  monitoring: { lagExporter: { enabled: false } },
  tests: { enabled: false },
};

/** One service of a platform whose gateway is another release. */
const elsewhere = { enabled: true, env: { GATEWAY_JWKS_URL: 'http://gateway.other:8080/.well-known/jwks.json' } };

/** A release name as long as helm allows. */
export const longRelease = 'a-release-name-that-is-just-as-long-as-helm-permits-x';

/** What every rule is asked about: each file of values that the chart ships, and the corners. */
export const cases: readonly Case[] = [
  { name: 'default', options: {} },
  ...yamlFiles('ci').map((file) => ({ name: file, options: { files: [file] } })),
  ...yamlFiles('values').map((file) => ({
    name: file,
    options: { files: [file], values: file.includes('dev') ? {} : installation },
  })),
  { name: 'all on', options: { values: allOn } },
  { name: 'all off', options: { values: allOff } },
  {
    name: 'a single service',
    options: { values: { ...allOff, services: { ...switched({ billing: true }), billing: elsewhere } } },
  },
  { name: 'a release name of 53 characters', options: { release: longRelease } },
  { name: 'IPv6', options: { values: { network: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] } } } },
  { name: 'dual stack', options: { values: { network: { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] } } } },
  { name: 'OpenShift', options: { apis: [...everyApi, 'security.openshift.io/v1'] } },
  {
    name: 'PodMonitor and annotations',
    options: { values: { monitoring: { podMonitor: { enabled: true }, scrapeAnnotations: true } } },
  },
  {
    name: 'Ingress',
    options: {
      values: {
        exposure: {
          webhook: { host: 'hooks.example.com', ingress: { enabled: true, className: 'traefik', tlsSecret: 'hooks-tls' } },
          gateway: { host: 'console.example.com', ingress: { enabled: true, className: 'traefik', tlsSecret: 'console-tls' } },
        },
      },
    },
  },
  { name: 'air gap', options: { values: { global: { imageRegistry: 'mirror.internal:5000' } } } },
  { name: 'migrations by somebody else', options: { values: { migrations: { mode: 'none' } } } },
  { name: 'migrations as hook', options: { values: { migrations: { mode: 'hook' } } } },
  { name: 'topics by Strimzi', options: { values: { kafka: { topics: { manage: 'strimzi', profile: 'medium' } } } } },
  { name: 'OAUTHBEARER', options: { values: { kafka: { sasl: { mechanism: 'oauthbearer' } } } } },
  {
    name: 'mutual TLS',
    options: { values: { kafka: { sasl: { mechanism: '' }, tls: { client: { enabled: true } } } } },
  },
  { name: 'secrets by CSI', options: { values: { secretDelivery: { mode: 'csi' } } } },
  { name: 'policies of Cilium', options: { values: { networkPolicy: { flavor: 'cilium' } } } },
  { name: 'a cluster without any operator', options: { apis: [] } },
];

/** OpenShift chooses the user; everywhere else it is ours. */
export const hasFixedUser = ({ name }: Case): boolean => !/openshift/i.test(name);
