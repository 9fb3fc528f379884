import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Manifest } from '../manifests/manifest.js';

/**
 * Schemas of the custom resources that are in no npm package, written from their documentation: those fields that we render and no
 * others, so that what is not here is an error until somebody has looked it up. Strimzi's resources are those of kafka.strimzi.io/v1.
 */

type Schema = Readonly<Record<string, unknown>>;

const string: Schema = { type: 'string', minLength: 1 };
const count: Schema = { type: 'integer', minimum: 1 };
const boolean: Schema = { type: 'boolean' };
const strings: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const quantity: Schema = { type: 'string', pattern: '^[0-9.]+(m|k|[KMGT]i?|E|P)?$' };
const oneOf = (...values: string[]): Schema => ({ enum: values });
const list = (items: Schema, minItems = 1): Schema => ({ type: 'array', items, minItems });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const resources = object({
  requests: { type: 'object', additionalProperties: quantity },
  limits: { type: 'object', additionalProperties: quantity },
});

const labelSelector = object({
  matchLabels: strings,
  matchExpressions: list(
    object({ key: string, operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'), values: list(string) }, ['key', 'operator']),
  ),
});

const spread = object(
  {
    maxSkew: count,
    topologyKey: string,
    whenUnsatisfiable: oneOf('ScheduleAnyway', 'DoNotSchedule'),
    labelSelector,
    matchLabelKeys: list(string),
  },
  ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
);

const networkPeer = object({
  podSelector: labelSelector,
  namespaceSelector: labelSelector,
  ipBlock: object({ cidr: string, except: list(string) }, ['cidr']),
});

const metadataTemplate = object({ metadata: object({ labels: strings, annotations: strings }) });

const podTemplate = object({
  metadata: object({ labels: strings, annotations: strings }),
  topologySpreadConstraints: list(spread),
  priorityClassName: string,
  terminationGracePeriodSeconds: { type: 'integer', minimum: 0 },
});

const configMapKey = object({ configMapKeyRef: object({ name: string, key: string }, ['name', 'key']) }, ['configMapKeyRef']);

const listener = object(
  {
    name: { type: 'string', pattern: '^[a-z0-9]{1,11}$' },
    port: { type: 'integer', minimum: 9092, maximum: 65535 },
    type: oneOf('internal', 'route', 'loadbalancer', 'nodeport', 'ingress', 'cluster-ip'),
    tls: boolean,
    authentication: object({ type: oneOf('tls', 'scram-sha-512', 'custom') }, ['type']),
    networkPolicyPeers: list(networkPeer),
    configuration: object({ brokerCertChainAndKey: object({ secretName: string, certificate: string, key: string }) }),
  },
  ['name', 'port', 'type', 'tls'],
);

const kafkaSpec = object(
  {
    kafka: object(
      {
        version: { type: 'string', pattern: '^4\\.' },
        metadataVersion: { type: 'string', pattern: '^4\\.' },
        listeners: list(listener),
        config: {
          type: 'object',
          additionalProperties: { type: ['string', 'number', 'boolean'] },
          // Strimzi manages these itself and drops what is written here.
          propertyNames: {
            not: {
              pattern: '^(listeners|advertised\\.|broker\\.|listener\\.|security\\.|ssl\\.|sasl\\.|log\\.dir|process\\.roles)',
            },
          },
        },
        authorization: object({ type: oneOf('simple', 'custom'), superUsers: list(string) }, ['type']),
        rack: object({ topologyKey: string }, ['topologyKey']),
        metricsConfig: object({ type: oneOf('jmxPrometheusExporter', 'strimziMetricsReporter'), valueFrom: configMapKey }, [
          'type',
        ]),
        template: object({ pod: podTemplate, podDisruptionBudget: object({ maxUnavailable: { type: 'integer', minimum: 0 } }) }),
      },
      ['listeners'],
    ),
    entityOperator: object({
      topicOperator: object({ watchedNamespace: string, resources }),
      userOperator: object({ watchedNamespace: string, resources }),
      template: object({ pod: podTemplate }),
    }),
    clusterCa: object({ generateCertificateAuthority: boolean, validityDays: count, renewalDays: count }),
    clientsCa: object({ generateCertificateAuthority: boolean, validityDays: count, renewalDays: count }),
    kafkaExporter: object({ topicRegex: string, groupRegex: string }),
    maintenanceTimeWindows: list(string),
  },
  ['kafka'],
);

const nodePoolSpec = object(
  {
    replicas: count,
    roles: list(oneOf('controller', 'broker')),
    storage: object(
      {
        type: oneOf('jbod'),
        volumes: list(
          object(
            {
              id: { type: 'integer', minimum: 0 },
              type: oneOf('persistent-claim'),
              size: quantity,
              class: string,
              deleteClaim: { const: false },
              kraftMetadata: oneOf('shared'),
            },
            ['id', 'type', 'size'],
          ),
        ),
      },
      ['type', 'volumes'],
    ),
    resources,
    jvmOptions: object({ '-Xms': string, '-Xmx': string }),
    template: object({ pod: podTemplate }),
  },
  ['replicas', 'roles', 'storage'],
);

const topicSpec = object(
  {
    topicName: { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' },
    partitions: count,
    replicas: count,
    config: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  },
  ['partitions', 'replicas'],
);

const userSpec = object(
  {
    authentication: object({ type: oneOf('tls', 'tls-external', 'scram-sha-512') }, ['type']),
    authorization: object(
      {
        type: oneOf('simple'),
        acls: list(
          object(
            {
              type: oneOf('allow', 'deny'),
              host: string,
              resource: object(
                {
                  type: oneOf('topic', 'group', 'cluster', 'transactionalId'),
                  name: string,
                  patternType: oneOf('literal', 'prefix'),
                },
                ['type'],
              ),
              operations: list(
                oneOf(
                  'Read',
                  'Write',
                  'Create',
                  'Delete',
                  'Alter',
                  'Describe',
                  'ClusterAction',
                  'AlterConfigs',
                  'DescribeConfigs',
                  'IdempotentWrite',
                  'All',
                ),
              ),
            },
            ['resource', 'operations'],
          ),
        ),
      },
      ['type', 'acls'],
    ),
    quotas: object({
      producerByteRate: { type: 'integer', minimum: 0 },
      consumerByteRate: { type: 'integer', minimum: 0 },
      requestPercentage: { type: 'integer', minimum: 0 },
      controllerMutationRate: { type: 'number', minimum: 0 },
    }),
    template: object({ secret: metadataTemplate }),
  },
  ['authentication', 'authorization'],
);

const dashboardSpec = object(
  {
    allowCrossNamespaceImport: boolean,
    instanceSelector: object({ matchLabels: strings }),
    folder: string,
    json: string,
    configMapRef: object({ name: string, key: string }, ['name', 'key']),
    resyncPeriod: string,
  },
  ['instanceSelector'],
);

const secretKey = object({ name: string, key: string }, ['name', 'key']);

/** Of the Barman Cloud plugin of CloudNativePG. */
const objectStoreSpec = object(
  {
    retentionPolicy: { type: 'string', pattern: '^[1-9][0-9]*[dwm]$' },
    configuration: object(
      {
        destinationPath: { type: 'string', pattern: '^(s3|gs|https)://.+' },
        endpointURL: { type: 'string', pattern: '^https?://.+' },
        s3Credentials: object({ accessKeyId: secretKey, secretAccessKey: secretKey, inheritFromIAMRole: boolean }),
        wal: object({ compression: oneOf('bzip2', 'gzip', 'lz4', 'snappy', 'xz', 'zstd') }),
        data: object({ compression: oneOf('bzip2', 'gzip', 'snappy') }),
      },
      ['destinationPath'],
    ),
  },
  ['configuration'],
);

const ciliumPorts = list(
  object(
    {
      ports: list(object({ port: { type: 'string', pattern: '^[0-9]+$' }, protocol: oneOf('TCP', 'UDP', 'ANY') }, ['port'])),
      rules: object({ dns: list(object({ matchName: string, matchPattern: string })) }),
    },
    ['ports'],
  ),
);

const ciliumSpec = object(
  {
    endpointSelector: labelSelector,
    egress: list(
      object({
        toFQDNs: list(object({ matchName: string, matchPattern: string })),
        toEndpoints: list(labelSelector),
        toPorts: ciliumPorts,
      }),
    ),
  },
  ['endpointSelector', 'egress'],
);

/** A topic or a user belongs to a cluster by this label; without it the operator does not see it. */
const clusterLabel: Schema = { type: 'object', required: ['strimzi.io/cluster'], additionalProperties: { type: 'string' } };

const specs: Readonly<Record<string, readonly [spec: Schema, labels: Schema]>> = {
  'kafka.strimzi.io/v1 Kafka': [kafkaSpec, strings],
  'kafka.strimzi.io/v1 KafkaNodePool': [nodePoolSpec, clusterLabel],
  'kafka.strimzi.io/v1 KafkaTopic': [topicSpec, clusterLabel],
  'kafka.strimzi.io/v1 KafkaUser': [userSpec, clusterLabel],
  'barmancloud.cnpg.io/v1 ObjectStore': [objectStoreSpec, strings],
  'cilium.io/v2 CiliumNetworkPolicy': [ciliumSpec, strings],
  'grafana.integreatly.org/v1beta1 GrafanaDashboard': [dashboardSpec, strings],
};

const ajv = new Ajv({ allErrors: true, strict: false });

const compiled = new Map<string, ValidateFunction>();

/** A validator of our own for this kind, or none. */
export const ownSchemaErrors = (
  apiVersion: string,
  kind: string,
): ((manifest: Manifest) => readonly ErrorObject[]) | undefined => {
  const key = `${apiVersion} ${kind}`;
  const found = specs[key];
  if (!found) return undefined;
  const [spec, labels] = found;
  const validate =
    compiled.get(key) ??
    ajv.compile(
      object(
        {
          apiVersion: { const: apiVersion },
          kind: { const: kind },
          metadata: object(
            { name: string, namespace: string, labels, annotations: strings },
            labels === clusterLabel ? ['name', 'labels'] : ['name'],
          ),
          spec,
        },
        ['apiVersion', 'kind', 'metadata', 'spec'],
      ),
    );
  compiled.set(key, validate);
  return (manifest) => (validate(manifest) ? [] : [...(validate.errors ?? [])]);
};
