import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { podNetwork, type Containers } from '../containers.js';
import { Pod, type Adjust } from './pod.js';
import type { Store } from './store.js';

export type PodPlan = {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: IPodSpec;
  /** What runs in place of a rendered image; the rendered name must be one that the test has built. */
  readonly image: (rendered: string) => string;
  /** For a release that does not know the settings of this one. */
  readonly adjust?: Adjust;
};

export type KubeletOptions = {
  readonly containers: Containers;
  readonly store: Store;
  /** Volumes of pods; claims beside them. */
  readonly folder: string;
  readonly logs: string;
  /** Names that pods resolve, as the cluster's DNS would. */
  readonly hosts: ReadonlyMap<string, string>;
};

/** Runs pods under podman with what was rendered for them. */
export class Kubelet {
  #address = 1;
  readonly pods: Pod[] = [];

  constructor(readonly options: KubeletOptions) {}

  async network(): Promise<void> {
    const { containers } = this.options;
    const { name, subnet, gateway } = podNetwork;
    // What a run that was killed has left knows of pods and a bridge that the kernel has taken down long ago.
    await containers.forget();
    await containers.podman('network', 'create', '--subnet', subnet, '--gateway', gateway, '--disable-dns', name);
  }

  /** Starts a pod: its init containers one after the other, then the others. Resolves when they run, not when they are ready. */
  async start(plan: PodPlan): Promise<Pod> {
    this.#address += 1;
    const ip = `10.209.${this.#address >> 8}.${this.#address & 255}`;
    const folder = join(this.options.folder, 'pods', plan.name);
    await mkdir(folder, { recursive: true });
    const pod = new Pod(plan, ip, folder, this.options);
    this.pods.push(pod);
    await pod.start();
    return pod;
  }

  /** Runs a pod of a Job to its end. Throws with its last lines when a container fails. */
  async run(plan: PodPlan): Promise<Pod> {
    const pod = await this.start(plan);
    await pod.ended();
    return pod;
  }
}
