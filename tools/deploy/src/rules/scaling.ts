import { at, nameOf, type Finding, type Manifest } from '../manifests/manifest.js';
import { podsOf, type Pods } from '../manifests/pods.js';
import { selects, serviceSelects, type LabelSelector } from './selectors.js';

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

export type ScalingOptions = {
  /** Partitions of the topics: more consumers than these have nothing to read. */
  readonly partitions: number;
};

/** Replicas, autoscalers, budgets and grace periods that contradict each other. */
export const scalingFindings = (manifests: readonly Manifest[], { partitions }: ScalingOptions): Finding[] => {
  const scalers = manifests.filter((manifest) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(manifest.kind));
  const budgets = manifests.filter((manifest) => manifest.kind === 'PodDisruptionBudget');
  return podsOf(manifests)
    .filter(({ owner }) => owner.kind === 'Deployment')
    .flatMap((pods) => {
      const title = nameOf(pods.owner);
      const mine = scalers.filter((scaler) => at(scaler, 'spec', 'scaleTargetRef', 'name') === pods.owner.metadata.name);
      const findings: Finding[] = [];
      const replicas = number(at(pods.owner, 'spec', 'replicas'));
      if (mine.length > 1) findings.push(`${title}: scaled by ${mine.map(nameOf).join(' and ')}`);
      if (mine.length > 0 && replicas !== undefined)
        findings.push(`${title}: sets replicas, which its autoscaler would lose at each release`);
      if (mine.length === 0 && replicas === undefined) findings.push(`${title}: neither replicas nor an autoscaler`);
      for (const scaler of mine) findings.push(...scalerFindings(scaler, partitions));
      const least = mine[0]
        ? (number(at(mine[0], 'spec', 'minReplicas')) ?? number(at(mine[0], 'spec', 'minReplicaCount')) ?? 0)
        : (replicas ?? 1);
      findings.push(...budgetFindings(pods, budgets, least), ...graceFindings(pods));
      return findings;
    });
};

const scalerFindings = (scaler: Manifest, partitions: number): Finding[] => {
  const findings: Finding[] = [];
  const stabilisation = number(
    at(scaler, 'spec', 'behavior', 'scaleDown', 'stabilizationWindowSeconds') ??
      at(scaler, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'behavior', 'scaleDown', 'stabilizationWindowSeconds'),
  );
  const triggers = (at(scaler, 'spec', 'triggers') ?? []) as unknown[];
  const kafka = triggers.some((trigger) => ['kafka', 'apache-kafka'].includes(String(at(trigger, 'type'))));
  if ((stabilisation ?? 0) < (kafka ? 600 : 300))
    findings.push(`${nameOf(scaler)}: scales down after ${stabilisation ?? 'no'} seconds; each change stops the whole group`);
  const most = number(at(scaler, 'spec', 'maxReplicaCount') ?? at(scaler, 'spec', 'maxReplicas'));
  if (most === undefined) findings.push(`${nameOf(scaler)}: has no most`);
  if (kafka && (most ?? 0) > partitions) findings.push(`${nameOf(scaler)}: up to ${most} consumers of ${partitions} partitions`);
  return findings;
};

const budgetFindings = (pods: Pods, budgets: readonly Manifest[], least: number): Finding[] => {
  const title = nameOf(pods.owner);
  const mine = budgets.filter((budget) => selects((at(budget, 'spec', 'selector') ?? {}) as LabelSelector, pods.labels));
  if (least <= 1) return mine.map((budget) => `${nameOf(budget)}: of one replica, so that no node can be drained`);
  if (mine.length !== 1) return [`${title}: ${mine.length} disruption budgets, not one`];
  return mine.flatMap((budget) => [
    ...(at(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow'
      ? []
      : [`${nameOf(budget)}: pods that are ill anyway keep a node from being drained`]),
    ...((number(at(budget, 'spec', 'minAvailable')) ?? 0) >= least
      ? [`${nameOf(budget)}: minAvailable leaves nothing to evict`]
      : []),
    ...(number(at(budget, 'spec', 'maxUnavailable')) === 0
      ? [`${nameOf(budget)}: maxUnavailable 0 leaves nothing to evict`]
      : []),
  ]);
};

/** What a process takes for its orderly end when nobody says otherwise: the default of the setting. */
const defaultDrainSeconds = 25;

const graceFindings = (pods: Pods): Finding[] => {
  const grace = pods.spec.terminationGracePeriodSeconds ?? 30;
  return pods.spec.containers.flatMap((container) => {
    const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const drain = (container.env ?? []).find(({ name }) => name === 'DRAIN_SECONDS')?.value;
    const needed = Number(sleep) + Number(drain ?? defaultDrainSeconds);
    return grace < needed ? [`${nameOf(pods.owner)}: ${grace} s of grace, ${needed} s needed (${sleep} s before SIGTERM)`] : [];
  });
};

/** Services without pods, or with a port that their pods do not have; budgets and monitors that select nothing. */
export const selectionFindings = (manifests: readonly Manifest[]): Finding[] => {
  const all = podsOf(manifests);
  const services = manifests.filter((manifest) => manifest.kind === 'Service' && at(manifest, 'spec', 'selector'));
  const findings: Finding[] = [];
  for (const service of services) {
    const mine = all.filter((pods) => serviceSelects(service, pods.labels));
    if (mine.length !== 1) findings.push(`${nameOf(service)}: selects pods of ${mine.length} workloads`);
    for (const port of (at(service, 'spec', 'ports') ?? []) as { port: number; targetPort?: number | string }[])
      for (const pods of mine)
        if (
          !pods.spec.containers
            .flatMap((container) => container.ports ?? [])
            .some(({ name, containerPort }) => [name, containerPort].includes(port.targetPort ?? port.port))
        )
          findings.push(`${nameOf(service)}: port ${port.port} leads to no port of ${nameOf(pods.owner)}`);
  }
  for (const budget of manifests.filter((manifest) => ['PodDisruptionBudget', 'NetworkPolicy'].includes(manifest.kind))) {
    const selector = (at(budget, 'spec', 'selector') ?? at(budget, 'spec', 'podSelector') ?? {}) as LabelSelector;
    if (Object.keys(selector).length > 0 && !all.some((pods) => selects(selector, pods.labels)))
      findings.push(`${nameOf(budget)}: selects no pods`);
  }
  return findings;
};
