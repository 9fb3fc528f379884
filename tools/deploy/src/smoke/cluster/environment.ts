import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IEnvVarSource } from 'kubernetes-models/v1/EnvVarSource';
import type { Store } from './store.js';

/** What a pod knows of itself. */
export type Identity = {
  readonly name: string;
  readonly namespace: string;
  readonly ip: string;
  readonly node: string;
  readonly uid: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
};

const field = (identity: Identity, path: string): string => {
  const label = /^metadata\.labels\['(.+)'\]$/.exec(path)?.[1];
  if (label !== undefined) return identity.labels[label] ?? '';
  const known: Record<string, string> = {
    'metadata.name': identity.name,
    'metadata.namespace': identity.namespace,
    'metadata.uid': identity.uid,
    'spec.nodeName': identity.node,
    'spec.serviceAccountName': identity.serviceAccount,
    'status.podIP': identity.ip,
    'status.hostIP': identity.ip,
  };
  const value = known[path];
  if (value === undefined) throw new Error(`the test does not know the field ${path} of a pod`);
  return value;
};

const resolve = (store: Store, identity: Identity, source: IEnvVarSource): string | null => {
  if (source.fieldRef) return field(identity, source.fieldRef.fieldPath);
  if (source.configMapKeyRef) return store.configMap(source.configMapKeyRef.name ?? '')[source.configMapKeyRef.key] ?? null;
  if (source.secretKeyRef) return store.secret(source.secretKeyRef.name ?? '')[source.secretKeyRef.key] ?? null;
  throw new Error(`the test does not know this source of a variable: ${JSON.stringify(source)}`);
};

/** The environment of a container as the kubelet makes it; `$(NAME)` is one that stands before. */
export const environmentOf = (store: Store, identity: Identity, container: IContainer): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    const data = configMapRef ? store.configMap(configMapRef.name ?? '') : secretRef ? store.secret(secretRef.name ?? '') : {};
    for (const [name, value] of Object.entries(data)) env[`${prefix}${name}`] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? resolve(store, identity, valueFrom) : (value ?? '');
    if (found !== null) env[name] = found.replaceAll(/\$\(([A-Za-z_][\w.-]*)\)/g, (whole, other: string) => env[other] ?? whole);
  }
  return env;
};
