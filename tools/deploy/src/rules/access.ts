import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { podsOf } from '../manifests/pods.js';

const rbacKinds = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

/** Rights at the API server. The platform needs none, so it asks for none, and no pod holds a token that could be stolen. */
export const rightsFindings = (manifests: readonly Manifest[]): Finding[] => [
  ...manifests
    .filter((manifest) => rbacKinds.has(manifest.kind))
    .map((manifest) => `${nameOf(manifest)} gives rights at the API server`),
  ...manifests
    .filter((manifest) => manifest.kind === 'ServiceAccount' && at(manifest, 'automountServiceAccountToken') !== false)
    .map((manifest) => `${nameOf(manifest)}: its token would be mounted`),
  ...podsOf(manifests)
    .filter((pods) => pods.spec.automountServiceAccountToken !== false)
    .map((pods) => `${nameOf(pods.owner)}: a token is mounted`),
  ...podsOf(manifests).flatMap((pods) =>
    (pods.spec.volumes ?? []).flatMap((volume) =>
      (volume.projected?.sources ?? [])
        .filter((source) => source.serviceAccountToken && !source.serviceAccountToken.audience)
        .map(
          () => `${nameOf(pods.owner)}: volume ${volume.name} holds a token for the API server: it has no audience of its own`,
        ),
    ),
  ),
];

/** `*` in a rule, wherever rights are given at all. */
export const wildcardFindings = (manifests: readonly Manifest[]): Finding[] =>
  manifests
    .filter((manifest) => rbacKinds.has(manifest.kind))
    .filter((manifest) => JSON.stringify(at(manifest, 'rules') ?? []).includes('"*"'))
    .map((manifest) => `${nameOf(manifest)} gives a right by wildcard`);
