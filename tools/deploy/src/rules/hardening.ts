import { nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { containersOf, podsOf } from '../manifests/pods.js';

export type HardeningOptions = {
  /** OpenShift gives each namespace its own range of user ids and refuses pods that ask for one. */
  readonly fixedUser: boolean;
};

/** What we ask of our own pods beyond the restricted profile: user, root file system, sized scratch space, resources, image, token. */
export const hardeningFindings = (manifests: readonly Manifest[], { fixedUser }: HardeningOptions): Finding[] =>
  podsOf(manifests).flatMap((pods) => {
    const findings: Finding[] = [];
    const user = pods.spec.securityContext?.runAsUser;
    const owner = nameOf(pods.owner);
    if (fixedUser && !((user ?? 0) >= 10_000))
      findings.push(`${owner}: runs as user ${user ?? 'of the image'}, not as one above 10000`);
    if (!fixedUser && [user, pods.spec.securityContext?.fsGroup].some((id) => id !== undefined))
      findings.push(`${owner}: asks for a user or group of its own`);
    if (pods.spec.automountServiceAccountToken !== false) findings.push(`${owner}: mounts a token of its service account`);
    if (!pods.spec.serviceAccountName || pods.spec.serviceAccountName === 'default')
      findings.push(`${owner}: has no service account of its own`);
    for (const volume of pods.spec.volumes ?? [])
      if (volume.emptyDir && !volume.emptyDir.sizeLimit) findings.push(`${owner}: volume ${volume.name} has no sizeLimit`);
    for (const { container, title } of containersOf(pods)) {
      const must = (holds: boolean, sentence: string) => {
        if (!holds) findings.push(`${title}: ${sentence}`);
      };
      must(container.securityContext?.readOnlyRootFilesystem === true, 'its root file system can be written');
      for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
        must(container.resources?.requests?.[resource] !== undefined, `requests no ${resource}`);
      must(container.resources?.limits?.memory !== undefined, 'has no memory limit');
      // A job that is evicted is run again; a process that serves is missed.
      must(
        ['Job', 'CronJob'].includes(pods.owner.kind) ||
          container.resources?.limits?.memory === container.resources?.requests?.memory,
        'requests less memory than its limit: it can be evicted for what it was promised',
      );
      must(container.resources?.limits?.cpu === undefined, 'has a cpu limit: it is throttled while cores stand idle');
      must(/@sha256:[0-9a-f]{64}$|:(?!latest$)[^:/]+$/.test(container.image ?? ''), `image ${container.image} has no fixed tag`);
      must(
        (container.volumeMounts ?? []).some((mount) => mount.mountPath === '/tmp'),
        'has no /tmp: a read-only root leaves it nowhere to write',
      );
    }
    return findings;
  });
