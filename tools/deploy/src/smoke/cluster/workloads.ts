import { podsOf, type Pods } from '../../manifests/pods.js';
import type { Manifest } from '../../manifests/manifest.js';

export type Workload = { readonly name: string; readonly pods: Pods };

/** `app.kubernetes.io/component`, by which the chart names workloads and Jobs. */
export const componentOf = (pods: Pods): string => pods.labels['app.kubernetes.io/component'] ?? pods.owner.metadata.name;

const isTest = ({ owner }: Pods): boolean => owner.metadata.annotations?.['helm.sh/hook'] === 'test';

const ofKind = (manifests: readonly Manifest[], kind: string): Workload[] =>
  podsOf(manifests)
    .filter((pods) => pods.owner.kind === kind && !isTest(pods))
    .map((pods) => ({ name: componentOf(pods), pods }));

export const deploymentsOf = (manifests: readonly Manifest[]): Workload[] => ofKind(manifests, 'Deployment');
export const jobsOf = (manifests: readonly Manifest[]): Workload[] => ofKind(manifests, 'Job');
export const cronJobsOf = (manifests: readonly Manifest[]): Workload[] => ofKind(manifests, 'CronJob');

/** `helm test`. */
export const testsOf = (manifests: readonly Manifest[]): Workload[] =>
  podsOf(manifests)
    .filter(isTest)
    .map((pods) => ({ name: componentOf(pods), pods }));
