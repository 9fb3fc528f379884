import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { at, nameOf, type Manifest } from './manifest.js';

/** The pods that an object makes. */
export type Pods = {
  readonly owner: Manifest;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: IPodSpec;
};

const templatePath: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

export const podsOf = (manifests: readonly Manifest[]): Pods[] =>
  manifests.flatMap((owner) => {
    const path = templatePath[owner.kind];
    if (!path) return [];
    const template = at(owner, ...path);
    const spec = at(template, 'spec') as IPodSpec | undefined;
    if (!spec) return [];
    return [
      {
        owner,
        labels: (at(template, 'metadata', 'labels') ?? {}) as Record<string, string>,
        annotations: (at(template, 'metadata', 'annotations') ?? {}) as Record<string, string>,
        spec,
      },
    ];
  });

export type NamedContainer = { readonly container: IContainer; readonly title: string; readonly init: boolean };

/** Every container of a pod: init containers, and those that serve. */
export const containersOf = ({ owner, spec }: Pods): NamedContainer[] =>
  [
    ...(spec.initContainers ?? []).map((container) => ({ container, init: true })),
    ...spec.containers.map((container) => ({ container, init: false })),
  ].map((one) => ({ ...one, title: `${nameOf(owner)} container ${one.container.name}` }));
