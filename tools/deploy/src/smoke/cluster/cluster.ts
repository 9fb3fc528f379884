import { theOne, type Manifest } from '../../manifests/manifest.js';
import { Kubelet, type KubeletOptions, type PodPlan } from './kubelet.js';
import type { Adjust, Pod } from './pod.js';
import { Forwarder, servicesOf, type ServiceSpec } from './service.js';
import type { Workload } from './workloads.js';

/** Which build of an image a pod runs, and what its environment must be for that. */
export type Version = { readonly name: string; readonly image: PodPlan['image']; readonly adjust?: Adjust };

/** The rendered objects at work: pods of workloads behind their Services. */
export class Cluster {
  readonly #kubelet: Kubelet;
  readonly #forwarders: Forwarder[] = [];
  readonly #services: readonly ServiceSpec[];
  #count = 0;

  constructor(
    private readonly manifests: readonly Manifest[],
    private readonly namespace: string,
    options: Omit<KubeletOptions, 'hosts'> & { readonly hosts: ReadonlyMap<string, string> },
  ) {
    this.#services = servicesOf(manifests, namespace);
    const names = this.#services.flatMap(({ name, namespace: of }, index): [string, string][] =>
      [name, `${name}.${of}`, `${name}.${of}.svc`, `${name}.${of}.svc.cluster.local`].map((one) => [one, this.#addressOf(index)]),
    );
    this.#kubelet = new Kubelet({ ...options, hosts: new Map([...options.hosts, ...names]) });
  }

  /** Names of Services and their addresses, for programs of this machine. */
  get hosts(): ReadonlyMap<string, string> {
    return this.#kubelet.options.hosts;
  }

  get pods(): readonly Pod[] {
    return this.#kubelet.pods;
  }

  /** The network of the pods, and an address for each Service, from where connections go to the pods that are ready. */
  async open(): Promise<void> {
    await this.#kubelet.network();
    for (const [index, service] of this.#services.entries())
      for (const { port, targetPort } of service.ports) await this.#forward(this.#addressOf(index), port, service, targetPort);
  }

  /** What an Ingress does: a port of loopback for a Service. */
  async expose(port: number, serviceName: string): Promise<void> {
    const service = this.#services.find(({ name }) => name === theOne(this.manifests, 'Service', serviceName).metadata.name);
    const [first] = service?.ports ?? [];
    if (!service || !first) throw new Error(`the Service ${serviceName} has no port`);
    await this.#forward('127.0.0.1', port, service, first.targetPort);
  }

  /** Starts a pod of a workload; resolves when its containers run. */
  start({ name, pods }: Workload, version: Version): Promise<Pod> {
    return this.#kubelet.start(this.#plan(name, pods, version));
  }

  /** Runs a pod of a Job or CronJob to its end. */
  run({ name, pods }: Workload, version: Version): Promise<Pod> {
    return this.#kubelet.run(this.#plan(name, pods, version));
  }

  close(): void {
    for (const forwarder of this.#forwarders) forwarder.close();
  }

  #addressOf(index: number): string {
    return `10.208.1.${index + 1}`;
  }

  #plan(name: string, pods: Workload['pods'], version: Version): PodPlan {
    this.#count += 1;
    return {
      name: `${name}-${version.name}-${this.#count}`,
      namespace: pods.owner.metadata.namespace ?? this.namespace,
      labels: pods.labels,
      spec: pods.spec,
      image: version.image,
      ...(version.adjust ? { adjust: version.adjust } : {}),
    };
  }

  async #forward(host: string, port: number, service: ServiceSpec, targetPort: number | string): Promise<void> {
    const forwarder = new Forwarder(() =>
      this.#kubelet.pods
        .filter((pod) => pod.serving && Object.entries(service.selector).every(([key, value]) => pod.plan.labels[key] === value))
        .map((pod) => ({ host: pod.ip, port: pod.portOf(targetPort) })),
    );
    await forwarder.listen(host, port);
    this.#forwarders.push(forwarder);
  }
}
