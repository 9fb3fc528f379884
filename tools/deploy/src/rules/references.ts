import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { containersOf, podsOf, type Pods } from '../manifests/pods.js';

/** One object needs another: `key` is the entry of a ConfigMap or Secret that is read, all of them when absent. */
export type Reference = {
  readonly from: Manifest;
  readonly kind: string;
  readonly name: string;
  readonly key?: string;
};

type Found = Omit<Reference, 'from'>;

const keyed = (
  kind: string,
  name: string | undefined,
  optional: boolean | undefined,
  keys: readonly (string | undefined)[],
): Found[] =>
  name && !optional
    ? keys.length === 0
      ? [{ kind, name }]
      : keys.map((key) => (key ? { kind, name, key } : { kind, name }))
    : [];

const ofContainer = (container: IContainer): Found[] => [
  ...(container.env ?? []).flatMap(({ valueFrom }) => [
    ...keyed('ConfigMap', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional, [
      valueFrom?.configMapKeyRef?.key,
    ]),
    ...keyed('Secret', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional, [valueFrom?.secretKeyRef?.key]),
  ]),
  ...(container.envFrom ?? []).flatMap((source) => [
    ...keyed('ConfigMap', source.configMapRef?.name, source.configMapRef?.optional, []),
    ...keyed('Secret', source.secretRef?.name, source.secretRef?.optional, []),
  ]),
];

const ofVolume = (volume: IVolume): Found[] => [
  ...keyed(
    'ConfigMap',
    volume.configMap?.name,
    volume.configMap?.optional,
    (volume.configMap?.items ?? []).map((item) => item.key),
  ),
  ...keyed(
    'Secret',
    volume.secret?.secretName,
    volume.secret?.optional,
    (volume.secret?.items ?? []).map((item) => item.key),
  ),
  ...(volume.projected?.sources ?? []).flatMap((source) => [
    ...keyed(
      'ConfigMap',
      source.configMap?.name,
      source.configMap?.optional,
      (source.configMap?.items ?? []).map((item) => item.key),
    ),
    ...keyed(
      'Secret',
      source.secret?.name,
      source.secret?.optional,
      (source.secret?.items ?? []).map((item) => item.key),
    ),
  ]),
  ...keyed('PersistentVolumeClaim', volume.persistentVolumeClaim?.claimName, false, []),
];

const ofPods = ({ spec, ...pods }: Pods): Found[] => [
  ...containersOf({ spec, ...pods }).flatMap(({ container }) => ofContainer(container)),
  ...(spec.volumes ?? []).flatMap(ofVolume),
  ...(spec.imagePullSecrets ?? []).flatMap((secret) => keyed('Secret', secret.name, false, [])),
  ...keyed('ServiceAccount', spec.serviceAccountName, spec.serviceAccountName === 'default', []),
  ...keyed('PriorityClass', spec.priorityClassName, spec.priorityClassName?.startsWith('system-'), []),
];

const listAt = (value: unknown, ...path: (string | number)[]): unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** What objects other than pods refer to. Objects of a cluster that no chart makes (gateways, issuers, stores) are not asked for. */
const ofObject = (manifest: Manifest): Found[] => {
  const { spec } = manifest;
  switch (manifest.kind) {
    case 'Ingress':
      return [
        ...listAt(spec, 'rules')
          .flatMap((rule) => listAt(rule, 'http', 'paths'))
          .flatMap((path) => keyed('Service', text(at(path, 'backend', 'service', 'name')), false, [])),
        ...listAt(spec, 'tls').flatMap((tls) => keyed('Secret', text(at(tls, 'secretName')), false, [])),
      ];
    case 'HTTPRoute':
      return listAt(spec, 'rules')
        .flatMap((rule) => listAt(rule, 'backendRefs'))
        .flatMap((backend) => keyed(text(at(backend, 'kind')) ?? 'Service', text(at(backend, 'name')), false, []));
    case 'BackendTLSPolicy':
      return [
        ...listAt(spec, 'targetRefs').flatMap((target) => keyed('Service', text(at(target, 'name')), false, [])),
        ...listAt(spec, 'validation', 'caCertificateRefs').flatMap((reference) =>
          keyed(text(at(reference, 'kind')) ?? 'ConfigMap', text(at(reference, 'name')), false, []),
        ),
      ];
    case 'HorizontalPodAutoscaler':
    case 'ScaledObject':
      return [
        ...keyed(text(at(spec, 'scaleTargetRef', 'kind')) ?? 'Deployment', text(at(spec, 'scaleTargetRef', 'name')), false, []),
        ...listAt(spec, 'triggers').flatMap((trigger) =>
          keyed(
            text(at(trigger, 'authenticationRef', 'kind')) ?? 'TriggerAuthentication',
            text(at(trigger, 'authenticationRef', 'name')),
            false,
            [],
          ),
        ),
      ];
    case 'TriggerAuthentication':
      return listAt(spec, 'secretTargetRef').flatMap((target) =>
        keyed('Secret', text(at(target, 'name')), false, [text(at(target, 'key'))]),
      );
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return keyed(text(at(manifest, 'roleRef', 'kind')) ?? 'Role', text(at(manifest, 'roleRef', 'name')), false, []);
    default:
      return [];
  }
};

export const referencesOf = (manifests: readonly Manifest[]): Reference[] =>
  manifests.flatMap((from) => [...ofObject(from), ...podsOf([from]).flatMap(ofPods)].map((found) => ({ from, ...found })));

/** What stands in for an object that another tool will make: an ExternalSecret makes a Secret, a Certificate too. */
export const madeBy = (manifest: Manifest): readonly { kind: string; name: string; keys?: readonly string[] }[] => {
  const { kind, metadata, spec } = manifest;
  const itself = {
    kind,
    name: metadata.name,
    ...(kind === 'ConfigMap' || kind === 'Secret'
      ? { keys: Object.keys({ ...manifest.data, ...manifest.stringData, ...(at(manifest, 'binaryData') as object | undefined) }) }
      : {}),
  };
  if (kind === 'ExternalSecret')
    return [itself, { kind: 'Secret', name: text(at(spec, 'target', 'name')) ?? metadata.name, ...externalKeys(spec) }];
  if (kind === 'Certificate')
    return [
      itself,
      { kind: 'Secret', name: text(at(spec, 'secretName')) ?? metadata.name, keys: ['ca.crt', 'tls.crt', 'tls.key'] },
    ];
  if (kind === 'KafkaUser')
    return [
      itself,
      { kind: 'Secret', name: metadata.name, keys: userKeys[text(at(spec, 'authentication', 'type')) ?? ''] ?? [] },
    ];
  if (kind === 'Kafka')
    return [itself, { kind: 'Secret', name: `${metadata.name}-cluster-ca-cert`, keys: ['ca.crt', 'ca.p12', 'ca.password'] }];
  if (kind === 'Cluster' && manifest.apiVersion.startsWith('postgresql.cnpg.io/'))
    return [itself, { kind: 'Secret', name: `${metadata.name}-ca`, keys: ['ca.crt', 'ca.key'] }];
  return [itself];
};

const userKeys: Readonly<Record<string, readonly string[]>> = {
  tls: ['ca.crt', 'user.crt', 'user.key', 'user.p12', 'user.password'],
  'scram-sha-512': ['password', 'sasl.jaas.config'],
};

const externalKeys = (spec: unknown): { keys?: readonly string[] } => {
  const templated = at(spec, 'target', 'template', 'data');
  if (typeof templated === 'object' && templated !== null && at(spec, 'target', 'template', 'mergePolicy') !== 'Merge')
    return { keys: Object.keys(templated) };
  // What `dataFrom` brings is known to the store alone.
  if (listAt(spec, 'dataFrom').length > 0) return {};
  return { keys: listAt(spec, 'data').flatMap((entry) => text(at(entry, 'secretKey')) ?? []) };
};

/** An object that must be there before the release: its kind, name, and the keys that are read of it. */
export type External = { readonly kind: string; readonly name: string; readonly keys: readonly string[] };

/** What is referred to and not among the objects: kinds and names, with the keys that are read. Sorted, each once. */
export const externalsOf = (manifests: readonly Manifest[]): External[] => {
  const made = new Set(manifests.flatMap(madeBy).map(({ kind, name }) => `${kind}/${name}`));
  const needed = new Map<string, { kind: string; name: string; keys: Set<string> }>();
  for (const { kind, name, key } of referencesOf(manifests)) {
    if (made.has(`${kind}/${name}`)) continue;
    const entry = needed.get(`${kind}/${name}`) ?? { kind, name, keys: new Set<string>() };
    if (key) entry.keys.add(key);
    needed.set(`${kind}/${name}`, entry);
  }
  return [...needed.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { kind, name, keys }]) => ({ kind, name, keys: [...keys].sort() }));
};

/** References to rendered ConfigMaps and Secrets by a key that those do not have. */
export const missingKeyFindings = (manifests: readonly Manifest[]): Finding[] => {
  const keys = new Map(
    manifests.flatMap(madeBy).flatMap((made) => (made.keys ? [[`${made.kind}/${made.name}`, made.keys] as const] : [])),
  );
  return referencesOf(manifests).flatMap(({ from, kind, name, key }) => {
    const known = keys.get(`${kind}/${name}`);
    return key && known && !known.includes(key)
      ? [`${nameOf(from)}: ${kind}/${name} has no ${key}, only ${known.join(', ')}`]
      : [];
  });
};
