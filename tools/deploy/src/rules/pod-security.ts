import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { containersOf, podsOf, type NamedContainer } from '../manifests/pods.js';

/** Volume types that the restricted profile knows. */
const allowedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const profileAllowed = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';

const podFindings = (pod: IPodSpec): string[] => {
  const findings: string[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) if (pod[field]) findings.push(`${field} must not be set`);
  for (const volume of pod.volumes ?? [])
    for (const type of Object.keys(volume))
      if (type !== 'name' && !allowedVolumes.has(type)) findings.push(`volume ${volume.name} is of type ${type}`);
  if ((pod.securityContext?.sysctls ?? []).length > 0) findings.push('sysctls must not be set');
  if (pod.securityContext?.runAsUser === 0) findings.push('runAsUser must not be 0');
  if (pod.securityContext?.runAsNonRoot === false) findings.push('runAsNonRoot must not be false');
  if (pod.securityContext?.windowsOptions?.hostProcess) findings.push('hostProcess must not be set');
  return findings;
};

const containerFindings = (pod: IPodSpec, { container, title }: NamedContainer): string[] => {
  const context = container.securityContext ?? {};
  const findings: string[] = [];
  const must = (holds: boolean, sentence: string) => {
    if (!holds) findings.push(`${title}: ${sentence}`);
  };
  must(context.privileged !== true, 'privileged must not be set');
  must(context.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation must be false');
  must((context.capabilities?.drop ?? []).includes('ALL'), 'capabilities must drop ALL');
  must(
    (context.capabilities?.add ?? []).every((capability) => capability === 'NET_BIND_SERVICE'),
    'capabilities may add NET_BIND_SERVICE only',
  );
  must((context.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) === true, 'runAsNonRoot must be true');
  must(context.runAsUser !== 0, 'runAsUser must not be 0');
  must(
    profileAllowed(context.seccompProfile?.type ?? pod.securityContext?.seccompProfile?.type),
    'seccompProfile must be RuntimeDefault',
  );
  must((context.procMount ?? 'Default') === 'Default', 'procMount must be Default');
  must(
    context.appArmorProfile === undefined || profileAllowed(context.appArmorProfile.type),
    'appArmorProfile must not be Unconfined',
  );
  must(
    (container.ports ?? []).every((port) => !port.hostPort),
    'hostPort must not be set',
  );
  return findings;
};

/** What the Pod Security Standard "restricted" of Kubernetes would refuse of the pods of these objects. */
export const podSecurityFindings = (manifests: readonly Manifest[]): Finding[] =>
  podsOf(manifests).flatMap((pods) => [
    ...podFindings(pods.spec).map((finding) => `${nameOf(pods.owner)}: ${finding}`),
    ...containersOf(pods).flatMap((container) => containerFindings(pods.spec, container)),
  ]);
