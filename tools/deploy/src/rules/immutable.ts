import { isDeepStrictEqual } from 'node:util';
import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';

/** Fields that an API server refuses to change once the object exists. */
const immutable: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Deployment: [['spec', 'selector']],
  StatefulSet: [
    ['spec', 'selector'],
    ['spec', 'serviceName'],
    ['spec', 'volumeClaimTemplates'],
    ['spec', 'podManagementPolicy'],
  ],
  DaemonSet: [['spec', 'selector']],
  Job: [
    ['spec', 'template'],
    ['spec', 'selector'],
    ['spec', 'completions'],
    ['spec', 'completionMode'],
  ],
  Service: [['spec', 'clusterIP']],
  PersistentVolumeClaim: [
    ['spec', 'accessModes'],
    ['spec', 'storageClassName'],
    ['spec', 'volumeName'],
    ['spec', 'volumeMode'],
  ],
  RoleBinding: [['roleRef']],
  ClusterRoleBinding: [['roleRef']],
};

const keyOf = (manifest: Manifest): string =>
  `${manifest.apiVersion.includes('/') ? manifest.apiVersion.split('/')[0] : ''}/${manifest.metadata.namespace ?? ''}/${nameOf(manifest)}`;

const isHook = (manifest: Manifest): boolean => manifest.metadata.annotations?.['helm.sh/hook'] !== undefined;

/** What an upgrade from one render to the next would be refused for. Hooks are deleted before they are created again. */
export const immutableFindings = (before: readonly Manifest[], after: readonly Manifest[]): Finding[] => {
  const old = new Map(before.filter((manifest) => !isHook(manifest)).map((manifest) => [keyOf(manifest), manifest]));
  return after.flatMap((manifest) => {
    const previous = old.get(keyOf(manifest));
    if (!previous || isHook(manifest)) return [];
    const changed = (immutable[manifest.kind] ?? []).filter(
      (path) => !isDeepStrictEqual(at(previous, ...path), at(manifest, ...path)),
    );
    const frozen =
      ['ConfigMap', 'Secret'].includes(manifest.kind) &&
      at(previous, 'immutable') === true &&
      !isDeepStrictEqual(previous.data, manifest.data)
        ? [['data']]
        : [];
    return [...changed, ...frozen].map((path) => `${nameOf(manifest)}: ${path.join('.')} cannot be changed`);
  });
};

/** What an upgrade does to the objects of a release. `restarted` are those whose pods are made anew: their template differs. */
export const upgradeOf = (
  before: readonly Manifest[],
  after: readonly Manifest[],
): { readonly created: string[]; readonly deleted: string[]; readonly changed: string[]; readonly restarted: string[] } => {
  const old = new Map(before.map((manifest) => [keyOf(manifest), manifest]));
  const kept = new Set(after.map(keyOf));
  const changed = after.filter((manifest) => {
    const previous = old.get(keyOf(manifest));
    return previous && !isDeepStrictEqual(previous, manifest);
  });
  return {
    created: after.filter((manifest) => !old.has(keyOf(manifest))).map(nameOf),
    deleted: before.filter((manifest) => !kept.has(keyOf(manifest))).map(nameOf),
    changed: changed.map(nameOf),
    restarted: changed
      .filter((manifest) => ['Deployment', 'StatefulSet', 'DaemonSet'].includes(manifest.kind))
      .filter(
        (manifest) => !isDeepStrictEqual(at(old.get(keyOf(manifest)), 'spec', 'template'), at(manifest, 'spec', 'template')),
      )
      .map(nameOf),
  };
};
