import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { boundToParent, startChild, stopChild } from '@centralita/tool-kafka';
import type { Child } from '@centralita/tool-kafka';
import { until } from '@centralita/testing-engines';
import { formatLine } from './log-line.js';
import { StartProblem } from './problem.js';

export type ProcessSpec = {
  name: string;
  /** Built main.js. */
  script: string;
  args?: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Answers 2xx when the process can do its work. */
  readyUrl: string;
};

type Managed = { name: string; child: Child };

export type SupervisorOptions = { logs: string; quiet: boolean; print: (line: string) => void };

/** Starts Node processes, shows and keeps their output, notices the first that dies, and stops them in order. */
export class Supervisor {
  readonly #running = new Set<Managed>();
  readonly #died = Promise.withResolvers<never>();
  #stopping = false;

  constructor(private readonly options: SupervisorOptions) {
    // Looked at by whoever waits; nobody waiting yet is no unhandled rejection.
    this.#died.promise.catch(() => undefined);
  }

  /** Never resolves; rejects with a StartProblem that names the first process that ended by itself, with its last lines. */
  get died(): Promise<never> {
    return this.#died.promise;
  }

  /** For engines, which are not ours to start: their death counts like a service's. */
  reportDeath(name: string, lastLines: readonly string[], how = ''): void {
    if (this.#stopping) return;
    this.#died.reject(
      new StartProblem(`${name} died${how}. Its last lines:\n${lastLines.map((line) => `  ${line}`).join('\n')}`),
    );
  }

  /** Runs a process to its end, for migrations. Fails with its last lines. */
  async run(spec: Omit<ProcessSpec, 'readyUrl'>): Promise<void> {
    const child = await this.#spawn(spec);
    const { code, signal } = await child.exited;
    if (code !== 0)
      throw new StartProblem(
        `${spec.name} ended with ${signal ?? code}. Its last lines:\n${child
          .lastLines()
          .map((line) => `  ${line}`)
          .join('\n')}`,
      );
  }

  /** Starts a process; resolves when it is ready. Rejects when it, or any other, has ended before, and when all are being stopped. */
  async start(spec: ProcessSpec, timeoutMs = 120_000): Promise<void> {
    const child = await this.#spawn(spec);
    void child.exited.then(({ code, signal }) =>
      this.reportDeath(spec.name, child.lastLines(), ` (${signal ?? `exit ${code}`})`),
    );
    const ready = async (): Promise<boolean> => {
      // By itself: the race below is over already, this only ends the polling. Stopped by us: nobody may go on as if it were ready.
      if (child.exit() !== null) throw new StartProblem(`${spec.name} ended before it was ready`);
      const response = await fetch(spec.readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      await response?.body?.cancel();
      return response?.ok ?? false;
    };
    const describe = (): string =>
      `${spec.name} to be ready at ${spec.readyUrl}; its last lines:\n${child.lastLines().slice(-15).join('\n')}`;
    await Promise.race([this.died, until(ready, { timeoutMs, describe })]);
  }

  /** Stops these processes, all at once; the order between groups is the caller's. */
  async stop(names: ReadonlySet<string> | 'all'): Promise<void> {
    this.#stopping = true;
    const chosen = [...this.#running].filter(({ name }) => names === 'all' || names.has(name));
    await Promise.all(
      chosen.map(async ({ name, child }) => {
        const { signal } = await stopChild(child, { graceMs: 20_000 });
        if (signal === 'SIGKILL') this.options.print(`${name} did not stop within 20 s and was killed`);
      }),
    );
  }

  /** kill -9 for all, for somebody who does not want to wait. */
  kill(): void {
    this.#stopping = true;
    for (const { child } of this.#running) if (child.exit() === null) child.process.kill('SIGKILL');
  }

  async #spawn(spec: Omit<ProcessSpec, 'readyUrl'>): Promise<Child> {
    // Whoever is still bringing things up when the stop begins would start what nobody stops.
    if (this.#stopping) throw new StartProblem(`${spec.name} was not started: everything is being stopped`);
    const log = createWriteStream(join(this.options.logs, `${spec.name.replaceAll(' ', '-')}.log`), { flags: 'a' });
    const [command, args] = boundToParent(process.execPath, ['--enable-source-maps', spec.script, ...(spec.args ?? [])]);
    const { PATH = '', HOME = '/' } = process.env;
    const child = await startChild(command, args, {
      env: { PATH, HOME, ...spec.env },
      onLine: (line) => {
        log.write(`${line}\n`);
        const shown = formatLine(line, this.options.quiet);
        if (shown !== null) this.options.print(`${spec.name.padEnd(14)}| ${shown}`);
      },
    });
    const managed = { name: spec.name, child };
    this.#running.add(managed);
    void child.exited.then(() => {
      this.#running.delete(managed);
      log.end();
    });
    if (this.#stopping) child.process.kill('SIGKILL');
    return child;
  }
}
