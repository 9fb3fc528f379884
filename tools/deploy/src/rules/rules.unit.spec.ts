import { describe, expect, it } from '@jest/globals';
import { parseManifests } from '../manifests/manifest.js';
import { duplicateFindings } from './duplicates.js';
import { hardeningFindings } from './hardening.js';
import { podSecurityFindings } from './pod-security.js';
import { schemaFindings } from './schema.js';
import { butWith, good } from './specimens/good.js';

describe('pod security, restricted', () => {
  it('has nothing to say of pods that keep it', () => {
    expect(podSecurityFindings(good)).toEqual([]);
  });

  const container = 'Deployment/billing container billing';
  it.each([
    ['allowPrivilegeEscalation: false, ', '', `${container}: allowPrivilegeEscalation must be false`],
    [
      'allowPrivilegeEscalation: false',
      'privileged: true, allowPrivilegeEscalation: false',
      `${container}: privileged must not be set`,
    ],
    ['drop: [ALL]', 'drop: [NET_RAW]', `${container}: capabilities must drop ALL`],
    ['drop: [ALL]', 'drop: [ALL], add: [SYS_ADMIN]', `${container}: capabilities may add NET_BIND_SERVICE only`],
    ['runAsNonRoot: true, ', '', `${container}: runAsNonRoot must be true`],
    ['runAsUser: 65532', 'runAsUser: 0', 'Deployment/billing: runAsUser must not be 0'],
    ['seccompProfile: { type: RuntimeDefault }', 'fsGroup: 65532', `${container}: seccompProfile must be RuntimeDefault`],
    ['type: RuntimeDefault', 'type: Unconfined', `${container}: seccompProfile must be RuntimeDefault`],
    ['containerPort: 8080', 'containerPort: 8080, hostPort: 8080', `${container}: hostPort must not be set`],
    ['emptyDir: { sizeLimit: 64Mi }', 'hostPath: { path: /tmp }', 'Deployment/billing: volume tmp is of type hostPath'],
    ['serviceAccountName: billing', 'hostNetwork: true', 'Deployment/billing: hostNetwork must not be set'],
    ['serviceAccountName: billing', 'hostPID: true', 'Deployment/billing: hostPID must not be set'],
    ['runAsUser: 65532', 'sysctls: [{ name: a, value: b }]', 'Deployment/billing: sysctls must not be set'],
    ['readOnlyRootFilesystem: true', 'procMount: Unmasked', `${container}: procMount must be Default`],
    [
      'readOnlyRootFilesystem: true',
      'appArmorProfile: { type: Unconfined }',
      `${container}: appArmorProfile must not be Unconfined`,
    ],
  ])('refuses %s -> %s', (text, replacement, finding) => {
    expect(podSecurityFindings(butWith(text, replacement))).toEqual([finding]);
  });

  it('sees init containers and pods of jobs', () => {
    const bare = parseManifests(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ name: first }], containers: [{ name: second }] } } } } }
`);
    const findings = podSecurityFindings(bare);
    for (const name of ['first', 'second'])
      expect(findings).toContain(`CronJob/nightly container ${name}: capabilities must drop ALL`);
  });
});

describe('hardening', () => {
  it('has nothing to say of the good specimen', () => {
    expect(hardeningFindings(good, { fixedUser: true })).toEqual([]);
  });

  it.each([
    ['runAsUser: 65532, ', 'runAsUser: 1000, ', 'runs as user 1000'],
    ['automountServiceAccountToken: false\n      term', 'automountServiceAccountToken: true\n      term', 'mounts a token'],
    ['serviceAccountName: billing', 'serviceAccountName: default', 'has no service account of its own'],
    ['sizeLimit: 64Mi', 'medium: Memory', 'volume tmp has no sizeLimit'],
    ['readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', 'can be written'],
    ['cpu: 200m, ', '', 'requests no cpu'],
    [', ephemeral-storage: 64Mi', '', 'requests no ephemeral-storage'],
    ['limits: { memory: 512Mi }', 'limits: { memory: 1Gi }', 'requests less memory'],
    ['limits: { memory: 512Mi }', 'limits: { memory: 512Mi, cpu: 1 }', 'has a cpu limit'],
    ['billing:1.0.0', 'billing:latest', 'has no fixed tag'],
    ['centralita/billing:1.0.0', 'centralita/billing', 'has no fixed tag'],
    ['mountPath: /tmp', 'mountPath: /scratch', 'has no /tmp'],
  ])('refuses %s -> %s', (text, replacement, finding) => {
    const findings = hardeningFindings(butWith(text, replacement), { fixedUser: true });
    expect(findings).toEqual([expect.stringContaining(finding)]);
  });

  it('refuses a fixed user where the platform gives one', () => {
    expect(hardeningFindings(good, { fixedUser: false })).toEqual(['Deployment/billing: asks for a user or group of its own']);
  });

  it('takes a digest in place of a tag', () => {
    expect(hardeningFindings(butWith('billing:1.0.0', `billing@sha256:${'a'.repeat(64)}`), { fixedUser: true })).toEqual([]);
  });
});

describe('duplicates', () => {
  it('finds none in the good specimen', () => {
    expect(duplicateFindings(good)).toEqual([]);
  });

  it.each([
    [
      '- { name: NODE_ENV, value: production }',
      '- { name: NODE_ENV, value: a }\n            - { name: NODE_ENV, value: b }',
      'env NODE_ENV twice',
    ],
    ['{ name: metrics, containerPort: 9090 }', '{ name: metrics, containerPort: 8080 }', 'port 8080/TCP twice'],
    ['{ name: metrics, containerPort: 9090 }', '{ name: http, containerPort: 9090 }', 'port name http twice'],
    [
      'ports: [{ name: http, port: 8080',
      'ports: [{ name: a, port: 8080 }, { name: http, port: 8080',
      'Service/billing: port 8080/TCP twice',
    ],
    ['- { name: kafka, secret', '- { name: tmp, secret', 'volume tmp twice'],
    ['mountPath: /secrets/kafka', 'mountPath: /tmp', 'mount /tmp twice'],
  ])('refuses %s -> %s', (text, replacement, finding) => {
    expect(duplicateFindings(butWith(text, replacement))).toEqual([expect.stringContaining(finding)]);
  });

  it('refuses one object twice, and knows that a namespace or a group makes another', () => {
    const account = '\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: { name: billing, namespace: messaging }\n';
    expect(duplicateFindings(butWith('LOG_LEVEL', 'LOG_LEVEL', account))).toEqual(['ServiceAccount/billing is rendered twice']);
    expect(duplicateFindings(butWith('LOG_LEVEL', 'LOG_LEVEL', account.replace('messaging', 'other')))).toEqual([]);
  });
});

describe('schema', () => {
  it('has nothing to say of the good specimen', async () => {
    expect(await schemaFindings(good)).toEqual([]);
  });

  it.each([
    ['replicas: 2', 'replicas: "2"', 'Deployment/billing: /spec/replicas'],
    ['replicas: 2', 'replicas: 2\n  replicaz: 3', 'Deployment/billing: unknown field /spec/replicaz'],
    [
      'readOnlyRootFilesystem: true',
      'readOnlyRootFileSystem: true',
      'unknown field /spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem',
    ],
    ['limits: { memory: 512Mi }', 'limits: { memory: lots }', 'resources/limits/memory'],
    ['maxUnavailable: 1', 'maxUnavailable: { of: 1 }', 'PodDisruptionBudget/billing: /spec/maxUnavailable'],
    [
      'volumeMounts:',
      'volumeMount: [{ name: a, mountPath: /a }]\n          volumeMounts:',
      'unknown field /spec/template/spec/containers/0/volumeMount/0/name',
    ],
    ['kind: Service\n', 'kind: Servise\n', 'Servise/billing: no schema for v1'],
  ])('refuses %s -> %s', async (text, replacement, finding) => {
    expect((await schemaFindings(butWith(text, replacement))).join('\n')).toContain(finding);
  });

  const topic = `
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: { name: wa-inbound-v1, labels: { strimzi.io/cluster: centralita } }
spec: { topicName: wa.inbound.v1, partitions: 12, replicas: 3, config: { retention.ms: -1 } }
`;
  it('knows custom resources, those of packages and those of its own', async () => {
    const scaled = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: billing }
spec: { scaleTargetRef: { name: billing }, triggers: [{ type: kafka, metadata: { topic: a } }] }
`;
    expect(await schemaFindings(parseManifests(`${topic}---${scaled}`))).toEqual([]);
    expect(await schemaFindings(parseManifests(topic.replace('partitions: 12', 'partition: 12')))).toEqual([
      "KafkaTopic/wa-inbound-v1: /spec must have required property 'partitions'",
      'KafkaTopic/wa-inbound-v1: /spec must NOT have additional properties',
      'KafkaTopic/wa-inbound-v1: unknown field /spec/partition',
    ]);
    expect(await schemaFindings(parseManifests(topic.replace('strimzi.io/cluster', 'cluster')))).toHaveLength(1);
    expect(await schemaFindings(parseManifests(scaled.replace('triggers', 'trigger')))).not.toEqual([]);
  });
});
