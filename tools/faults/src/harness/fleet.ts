import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { freePorts, ProcessHarness, until } from '@centralita/testing-engines';
import type { ProcessSpec } from '@centralita/tool-start';
import { CRASH_LINE, type CrashPoint } from './crash-point.js';

type Member = {
  spec: ProcessSpec;
  process: ProcessHarness;
  /** Down because the scenario says so: not started again. */
  held: boolean;
};

export type Death = { readonly name: string; readonly how: string; readonly at: number };

/** How soon an ended process is started again, as a kubelet does. */
const RESTART_MS = 200;
const READY_MS = 90_000;
const crashPreload = new URL('./crash-point.js', import.meta.url).href;

/**
 * The processes of a platform under faults. Whatever ends is started again, as in a cluster, unless the scenario holds it down; every
 * end is written down, so that a verdict can say through how many of them its history went.
 */
export class Fleet {
  readonly deaths: Death[] = [];
  readonly #members = new Map<string, Member>();
  readonly #logs = new Map<string, WriteStream>();
  #stopping = false;

  /** `settings`: environment on top of that of a process, by its name. */
  constructor(
    private readonly logFolder: string,
    private readonly settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ) {}

  /** Runs a process to its end, for migrations. */
  async run(spec: Omit<ProcessSpec, 'readyUrl'>): Promise<void> {
    const process = await this.#spawn(spec, {});
    const { code, signal } = await process.exited;
    if (code !== 0) throw new Error(`${spec.name} ended with ${signal ?? code}:\n${process.lines.slice(-15).join('\n')}`);
  }

  async start(spec: ProcessSpec): Promise<void> {
    const member: Member = { spec, process: await this.#spawn(spec, {}), held: false };
    this.#members.set(spec.name, member);
    this.#watch(member);
    await this.ready(spec.name);
  }

  /** Starts another instance of a process beside it, on ports of its own; resolves to its name when it is ready. */
  async startSecond(name: string): Promise<string> {
    const { spec } = this.#member(name);
    const second = `${name}-2`;
    const [http = 0, metrics = 0] = await freePorts(2);
    await this.start({
      ...spec,
      name: second,
      env: { ...spec.env, HTTP_PORT: String(http), METRICS_PORT: String(metrics), SERVICE_INSTANCE: second },
      readyUrl: spec.readyUrl.replace(/:\d+\//, `:${metrics}/`),
    });
    return second;
  }

  names(): string[] {
    return [...this.#members.keys()];
  }

  specOf(name: string): ProcessSpec {
    return this.#member(name).spec;
  }

  linesOf(name: string): readonly string[] {
    return this.#member(name).process.lines;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#member(name).process.signal(signal);
  }

  /** kill -9; resolves when its successor is ready. */
  async kill(name: string): Promise<void> {
    const { process } = this.#member(name);
    process.signal('SIGKILL');
    await process.exited;
    await this.ready(name);
  }

  /** Stops a process and keeps it down until `release`. */
  async hold(name: string): Promise<void> {
    const member = this.#member(name);
    member.held = true;
    await member.process.stop();
  }

  async release(name: string): Promise<void> {
    await this.letGo(name);
    await this.ready(name);
  }

  /** Like `release`, without waiting: the scenario expects that it does not become ready. */
  async letGo(name: string): Promise<void> {
    const member = this.#member(name);
    member.held = false;
    await this.#renew(member, {});
  }

  /** Environment of a process from its next start on. */
  configure(name: string, env: Readonly<Record<string, string>>): void {
    const member = this.#member(name);
    member.spec = { ...member.spec, env: { ...member.spec.env, ...env } };
  }

  /**
   * Starts a process anew so that it dies at an exact call. Resolves when it has died there and its successor is ready. `meanwhile`
   * makes the traffic that leads it to the call, when the running load does not.
   */
  async dieAt(name: string, point: CrashPoint, timeoutMs = 240_000): Promise<void> {
    const member = this.#member(name);
    member.held = true;
    await member.process.stop();
    member.held = false;
    await this.#renew(member, { CRASH_POINT: JSON.stringify(point) });
    const doomed = member.process;
    await until(() => doomed.lines.some((line) => line.includes(CRASH_LINE)), {
      timeoutMs,
      describe: () => `${name} to reach ${JSON.stringify(point)}; its last lines:\n${doomed.lines.slice(-10).join('\n')}`,
    });
    await doomed.exited;
    await this.ready(name);
  }

  /** Resolves when the present process of that name says that it can work. */
  async ready(name: string): Promise<void> {
    const { spec } = this.#member(name);
    const answers = (): Promise<boolean> =>
      fetch(spec.readyUrl, { signal: AbortSignal.timeout(2_000) })
        .then(async (response) => {
          await response.body?.cancel();
          return response.ok;
        })
        .catch(() => false);
    await until(answers, {
      timeoutMs: READY_MS,
      describe: () => `${name} to be ready; its last lines:\n${this.linesOf(name).slice(-15).join('\n')}`,
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#members.values()].map(({ process }) => process.stop()));
    for (const log of this.#logs.values()) log.end();
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (!member) throw new RangeError(`no process ${name}: ${this.names().join(', ')}`);
    return member;
  }

  #watch(member: Member): void {
    const { process } = member;
    void process.exited.then(async ({ code, signal }) => {
      if (this.#stopping || member.process !== process) return;
      this.deaths.push({ name: member.spec.name, how: signal ?? `exit ${code}`, at: Date.now() });
      if (member.held) return;
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      if (!this.#stopping && !member.held && member.process === process) await this.#renew(member, {});
    });
  }

  async #renew(member: Member, env: Readonly<Record<string, string>>): Promise<void> {
    member.process = await this.#spawn(member.spec, env);
    this.#watch(member);
  }

  #spawn(spec: Omit<ProcessSpec, 'readyUrl'>, env: Readonly<Record<string, string>>): Promise<ProcessHarness> {
    const log =
      this.#logs.get(spec.name) ??
      createWriteStream(join(this.logFolder, `${spec.name.replaceAll(' ', '-')}.log`), { flags: 'a' });
    this.#logs.set(spec.name, log);
    return ProcessHarness.start({
      name: spec.name,
      script: spec.script,
      args: spec.args ?? [],
      nodeArgs: ['--enable-source-maps', ...('CRASH_POINT' in env ? ['--import', crashPreload] : [])],
      env: { ...spec.env, ...this.settings[spec.name], ...env },
      onLine: (line) => void log.write(`${line}\n`),
    });
  }
}
