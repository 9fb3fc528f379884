import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { podsOf } from '../manifests/pods.js';

/** Hooks of helm that an object is; none for an ordinary one. */
export const hooksOf = (manifest: Manifest): string[] =>
  (manifest.metadata.annotations?.['helm.sh/hook'] ?? '').split(',').flatMap((hook) => (hook.trim() ? [hook.trim()] : []));

const jobFindings = (title: string, spec: unknown, manifest: Manifest): Finding[] => {
  const findings: Finding[] = [];
  const must = (holds: boolean, sentence: string) => {
    if (!holds) findings.push(`${title}: ${sentence}`);
  };
  const backoff = at(spec, 'backoffLimit');
  must(typeof backoff === 'number', 'has no backoffLimit');
  must(typeof at(spec, 'activeDeadlineSeconds') === 'number', 'has no activeDeadlineSeconds: it can run for ever');
  must(
    ['Never', 'OnFailure'].includes(String(podsOf([manifest])[0]?.spec.restartPolicy)),
    'has a restartPolicy that the API server refuses',
  );
  if (manifest.kind === 'CronJob') {
    must(typeof at(spec, 'ttlSecondsAfterFinished') === 'number', 'has no ttlSecondsAfterFinished: its pods pile up');
  } else if (hooksOf(manifest).length > 0) {
    must(
      (manifest.metadata.annotations?.['helm.sh/hook-delete-policy'] ?? '').includes('before-hook-creation'),
      'is a hook that is in its own way at the next release: hook-delete-policy before-hook-creation is missing',
    );
  } else {
    must(
      at(spec, 'ttlSecondsAfterFinished') === undefined,
      'is no hook and removes itself: Argo CD sees it missing and makes it again',
    );
  }
  return findings;
};

/** Jobs that never end, pile up, get into their own way or vanish. */
export const jobRuleFindings = (manifests: readonly Manifest[]): Finding[] =>
  manifests.flatMap((manifest) => {
    if (manifest.kind === 'Job') return jobFindings(nameOf(manifest), manifest.spec, manifest);
    if (manifest.kind !== 'CronJob') return [];
    const findings = jobFindings(nameOf(manifest), at(manifest, 'spec', 'jobTemplate', 'spec'), manifest);
    for (const field of ['concurrencyPolicy', 'startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'])
      if (at(manifest, 'spec', field) === undefined) findings.push(`${nameOf(manifest)}: has no ${field}`);
    if (at(manifest, 'spec', 'concurrencyPolicy') === 'Allow') findings.push(`${nameOf(manifest)}: two runs at once are allowed`);
    return findings;
  });
