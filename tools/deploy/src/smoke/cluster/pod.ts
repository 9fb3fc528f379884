import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { until } from '@centralita/testing-engines';
import { podNetwork } from '../containers.js';
import { environmentOf, type Identity } from './environment.js';
import type { KubeletOptions, PodPlan } from './kubelet.js';
import { ask } from './probe.js';
import { bytesOf, makeVolumes, type Mounted } from './volumes.js';

/** Changes the environment of a container; `fileOf` gives the file of this machine that it sees at a path. */
export type Adjust = (env: Record<string, string>, fileOf: (path: string) => string) => Record<string, string>;

export type Ended = {
  readonly container: string;
  readonly code: number;
  /** From SIGTERM to the end, without the sleep before it. */
  readonly drainedMs: number;
  readonly graceMs: number;
  readonly killed: boolean;
  readonly outOfMemory: boolean;
};

type State = { readonly Status: string; readonly ExitCode: number; readonly OOMKilled: boolean; readonly StartedAt: string };

/** How often readiness is asked; the kubelet would ask at the rendered period, which is time that a test waits for nothing. */
const POLL_MS = 250;

/** A rendered pod that runs: every container with its user, limits, mounts and probes. */
export class Pod {
  #volumes: ReadonlyMap<string, Mounted> = new Map();
  #running: IContainer[] = [];
  #environments = new Map<string, Record<string, string>>();
  #stopping = false;
  #ready = false;
  #livenessFailures: string[] = [];
  /** From the start of the container's process to the first answer of its liveness probe. */
  healthyMs: number | null = null;
  readonly identity: Identity;

  constructor(
    readonly plan: PodPlan,
    readonly ip: string,
    private readonly folder: string,
    private readonly options: KubeletOptions,
  ) {
    this.identity = {
      name: plan.name,
      namespace: plan.namespace,
      ip,
      node: 'node-1',
      uid: randomUUID(),
      serviceAccount: plan.spec.serviceAccountName ?? 'default',
      labels: plan.labels,
    };
  }

  get name(): string {
    return this.plan.name;
  }

  /** In the endpoints of its Service: ready, and not on its way out. */
  get serving(): boolean {
    return this.#ready && !this.#stopping;
  }

  /** Answers of liveness probes that a kubelet would have restarted the container for. */
  get livenessFailures(): readonly string[] {
    return this.#livenessFailures;
  }

  portOf(port: number | string): number {
    if (typeof port === 'number') return port;
    const named = this.plan.spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port);
    if (!named) throw new Error(`${this.name} has no port ${port}`);
    return named.containerPort;
  }

  nameOf(container: IContainer): string {
    return `${this.plan.name}-${container.name}`;
  }

  logOf(container: IContainer): string {
    return join(this.options.logs, `${this.nameOf(container)}.log`);
  }

  async lastLines(container: IContainer): Promise<string> {
    const file = this.logOf(container);
    if (!existsSync(file)) return '(nothing written)';
    return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-12).join('\n');
  }

  async start(): Promise<void> {
    const { spec } = this.plan;
    this.#volumes = await makeVolumes(spec, this.options.store, {
      folder: this.folder,
      claim: (name) => join(this.options.folder, 'claims', name),
    });
    const { containers, hosts } = this.options;
    // Holds the network of the pod while containers come and go, as a kubelet's does.
    await containers.podman(
      ...['pod', 'create', '--name', this.name, '--hostname', this.name, '--cgroup-parent', 'centralita-deploy'],
      ...['--network', podNetwork.name, '--ip', this.ip],
      ...[...hosts].flatMap(([name, ip]) => ['--add-host', `${name}:${ip}`]),
    );
    for (const container of spec.initContainers ?? []) {
      await this.#run(container);
      const { code } = await this.#wait(container);
      if (code !== 0) throw new Error(`${this.nameOf(container)} ended with ${code}:\n${await this.lastLines(container)}`);
      await this.options.containers.podman('rm', '--force', this.nameOf(container));
    }
    for (const container of spec.containers) {
      await this.#run(container);
      this.#running.push(container);
    }
    const probed = spec.containers.filter(({ livenessProbe }) => livenessProbe);
    for (const container of probed) void this.#watch(container, Date.parse((await this.#state(container)).StartedAt));
    if (probed.length > 0) void this.#watchReadiness();
  }

  /** Resolves when every container with a readiness probe says that it can work. */
  async untilReady(timeoutMs = 120_000): Promise<void> {
    let last = '';
    const [first] = this.#running;
    await until(
      async () => {
        for (const container of this.#running) {
          const state = await this.#state(container);
          if (state.Status === 'exited')
            throw new Error(`${this.nameOf(container)} ended with ${state.ExitCode}:\n${await this.lastLines(container)}`);
          if (container.readinessProbe) {
            const answer = await ask(container.readinessProbe, container, this.ip);
            last = answer.text;
            if (!answer.ok) return false;
          }
        }
        return true;
      },
      { timeoutMs, describe: () => `${this.name} to be ready; it says ${last}` },
    ).catch(async (error: unknown) => {
      throw new Error(`${(error as Error).message}\n${first ? await this.lastLines(first) : ''}`, { cause: error });
    });
    this.#ready = true;
  }

  /** Resolves when all containers have ended; throws with the last lines of one that failed. */
  async ended(): Promise<void> {
    const ends = await Promise.all(this.#running.map(async (container) => ({ container, ...(await this.#wait(container)) })));
    this.#stopping = true;
    for (const { container, code } of ends)
      if (code !== 0) throw new Error(`${this.nameOf(container)} ended with ${code}:\n${await this.lastLines(container)}`);
    await this.#remove();
  }

  /** The end of a pod: out of the endpoints, the sleep before the stop, SIGTERM, and SIGKILL when the grace period is over. */
  async stop(): Promise<Ended[]> {
    this.#stopping = true;
    this.#ready = false;
    const graceMs = (this.plan.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    const ends = await Promise.all(this.#running.map((container) => this.#stop(container, graceMs)));
    await this.#remove();
    return ends;
  }

  /** Ends the pod at once, without order. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#ready = false;
    await this.#remove();
  }

  /** What a container's environment is, for a program of this machine that stands in for it. */
  environmentOf(container: string): Readonly<Record<string, string>> {
    return this.#environments.get(container) ?? {};
  }

  /** The file of this machine that a container sees at a path. */
  fileOf(container: IContainer, path: string): string {
    const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => b.mountPath.length - a.mountPath.length);
    const mount = mounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
    const volume = mount && this.#volumes.get(mount.name);
    if (!mount || !volume || !('folder' in volume)) throw new Error(`${this.name} mounts no file at ${path}`);
    return join(volume.folder, mount.subPath ?? '', path.slice(mount.mountPath.length));
  }

  async exec(container: IContainer, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.options.containers.tryPodman('exec', this.nameOf(container), ...args);
  }

  async #run(container: IContainer): Promise<void> {
    const { containers, store, logs } = this.options;
    const { spec } = this.plan;
    const security = { ...spec.securityContext, ...container.securityContext };
    const rendered = environmentOf(store, this.identity, container);
    const env = this.plan.adjust ? this.plan.adjust(rendered, (path) => this.fileOf(container, path)) : rendered;
    this.#environments.set(container.name, rendered);
    const memory = container.resources?.limits?.['memory'];
    const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath, readOnly, subPath }) => {
      const volume = this.#volumes.get(name);
      if (!volume) throw new Error(`${this.nameOf(container)} mounts ${name}, which the pod does not have`);
      if ('memory' in volume) return ['--tmpfs', `${mountPath}:rw,exec,mode=1777,size=${volume.memory}`];
      return ['--volume', `${join(volume.folder, subPath ?? '')}:${mountPath}:${readOnly ? 'ro' : 'rw'}`];
    });
    await containers.podman(
      ...['run', '--detach', '--pull', 'never', '--pod', this.name, '--name', this.nameOf(container)],
      ...['--log-driver', 'k8s-file', '--log-opt', `path=${join(logs, `${this.nameOf(container)}.log`)}`],
      ...['--user', `${security.runAsUser ?? ''}${security.runAsGroup === undefined ? '' : `:${security.runAsGroup}`}`],
      ...(spec.securityContext?.fsGroup === undefined ? [] : ['--group-add', String(spec.securityContext.fsGroup)]),
      ...(container.securityContext?.readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
      ...(container.securityContext?.capabilities?.drop ?? []).flatMap((name) => ['--cap-drop', name.toLowerCase()]),
      ...(container.securityContext?.allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
      ...(memory === undefined ? [] : ['--memory', String(bytesOf(memory)), '--memory-swap', String(bytesOf(memory))]),
      ...mounts,
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...(container.command ? ['--entrypoint', JSON.stringify(container.command)] : []),
      this.plan.image(container.image ?? ''),
      ...(container.args ?? []),
    );
  }

  async #state(container: IContainer): Promise<State> {
    const text = await this.options.containers.podman('inspect', '--format', '{{json .State}}', this.nameOf(container));
    return JSON.parse(text) as State;
  }

  async #wait(container: IContainer): Promise<{ code: number }> {
    const text = await this.options.containers.podman('wait', '--interval', '100ms', this.nameOf(container));
    return { code: Number(text.trim()) };
  }

  async #stop(container: IContainer, graceMs: number): Promise<Ended> {
    const preStop = container.lifecycle?.preStop;
    const sleep = preStop?.sleep?.seconds ?? 0;
    if (preStop && !preStop.sleep) throw new Error(`${this.nameOf(container)} has a preStop that is no sleep`);
    // Endpoints learn of the end while the container still answers: that is what the sleep is for.
    await pause(sleep * 1000);
    const started = performance.now();
    let killed = false;
    await this.options.containers.tryPodman('kill', '--signal', 'TERM', this.nameOf(container));
    const late = setTimeout(
      () => {
        killed = true;
        void this.options.containers.tryPodman('kill', '--signal', 'KILL', this.nameOf(container));
      },
      graceMs - sleep * 1000,
    );
    const { code } = await this.#wait(container);
    clearTimeout(late);
    const drainedMs = performance.now() - started;
    const { OOMKilled: outOfMemory } = await this.#state(container);
    return { container: this.nameOf(container), code, drainedMs, graceMs, killed, outOfMemory };
  }

  async #remove(): Promise<void> {
    await this.options.containers.tryPodman('pod', 'rm', '--force', '--time', '0', this.name);
  }

  /** Liveness: first until it answers, to know how long that took; then at the rendered period, to know of failures. */
  async #watch(container: IContainer, started: number): Promise<void> {
    const probe = container.livenessProbe;
    if (!probe) return;
    while (!this.#stopping && !(await ask(probe, container, this.ip)).ok) await pause(20);
    if (this.#stopping) return;
    this.healthyMs ??= Date.now() - started;
    let failures = 0;
    while (!this.#stopping) {
      await pause((probe.periodSeconds ?? 10) * 1000, undefined, { ref: false });
      if (this.#stopping) return;
      const answer = await ask(probe, container, this.ip);
      failures = answer.ok ? 0 : failures + 1;
      if (failures >= (probe.failureThreshold ?? 3) && !this.#stopping)
        this.#livenessFailures.push(`${this.nameOf(container)}: ${answer.text}`);
    }
  }

  async #watchReadiness(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      const answers = await Promise.all(
        this.#running.flatMap((container) =>
          container.readinessProbe ? [ask(container.readinessProbe, container, this.ip)] : [],
        ),
      );
      const ok = answers.every((answer) => answer.ok);
      failures = ok ? 0 : failures + 1;
      if (ok) this.#ready = true;
      else if (failures >= 2) this.#ready = false;
      await pause(POLL_MS, undefined, { ref: false });
    }
  }
}
