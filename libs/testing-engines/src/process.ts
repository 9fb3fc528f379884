import { fileURLToPath } from 'node:url';
import { boundToParent, startChild, stopChild } from '@centralita/tool-kafka';
import type { Child, ChildExit } from '@centralita/tool-kafka';
import { until } from './until.js';

export type ProcessOptions = {
  /** Prefix of its lines and its name in messages. */
  name: string;
  /** The script for Node: a built `dist/main.js`, or a `main.ts`, which then runs from source. */
  script: string;
  args?: readonly string[];
  nodeArgs?: readonly string[];
  cwd?: string;
  /** Added to PATH and HOME only: a test says what its process sees. */
  env?: Readonly<Record<string, string>>;
  /** Gets every line with its prefix; by default nobody, the last ones are in the messages of failures. */
  onLine?: (line: string) => void;
};

const sourceLoader = fileURLToPath(new URL('../source-loader.mjs', import.meta.url));

/** A Node process under test: its output, its readiness, and the ways to hurt it. */
export class ProcessHarness {
  readonly #lines: string[] = [];

  private constructor(
    readonly name: string,
    private readonly child: Child,
    lines: string[],
  ) {
    this.#lines = lines;
  }

  static async start(options: ProcessOptions): Promise<ProcessHarness> {
    const lines: string[] = [];
    const source = options.script.endsWith('.ts') ? ['--import', sourceLoader] : [];
    const [command, args] = boundToParent(
      process.execPath,
      [...source, ...(options.nodeArgs ?? []), options.script, ...(options.args ?? [])],
      'KILL',
    );
    const { PATH = '', HOME = '/' } = process.env;
    const child = await startChild(command, args, {
      cwd: options.cwd ?? process.cwd(),
      env: { PATH, HOME, ...options.env },
      onLine: (line) => {
        lines.push(line);
        options.onLine?.(`${options.name} | ${line}`);
      },
    });
    return new ProcessHarness(options.name, child, lines);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Every line so far, both streams. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get exited(): Promise<ChildExit> {
    return this.child.exited;
  }

  running(): boolean {
    return this.child.exit() === null;
  }

  /** Resolves with the first line, past or future, that matches; fails with the last lines when the process ends before. */
  waitForLine(matching: RegExp | ((line: string) => boolean), timeoutMs = 30_000): Promise<string> {
    const matches = matching instanceof RegExp ? (line: string): boolean => matching.test(line) : matching;
    return this.#until(
      () => this.#lines.find(matches),
      `a line like ${matching instanceof RegExp ? String(matching) : 'the one asked for'}`,
      timeoutMs,
    );
  }

  /** Resolves when the address answers 2xx. */
  async waitForHttp(url: string, timeoutMs = 30_000): Promise<void> {
    const answers = (): Promise<boolean> =>
      fetch(url, { signal: AbortSignal.timeout(2_000) })
        .then((response) => response.ok)
        .catch(() => false);
    await this.#until(answers, `${url} to answer`, timeoutMs);
  }

  /** kill -9, SIGSTOP, SIGCONT…; returns at once. */
  signal(signal: NodeJS.Signals): void {
    this.child.process.kill(signal);
  }

  async kill(): Promise<ChildExit> {
    this.signal('SIGKILL');
    return this.child.exited;
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Resolves with how it ended. */
  stop(graceMs = 15_000): Promise<ChildExit> {
    // A stopped (SIGSTOP) process would not see SIGTERM.
    if (this.running()) this.signal('SIGCONT');
    return stopChild(this.child, { graceMs });
  }

  async #until<T>(condition: () => T | Promise<T>, what: string, timeoutMs: number): Promise<NonNullable<T>> {
    const tail = (): string => this.#lines.slice(-20).join('\n');
    return until(
      async () => {
        const result = await condition();
        if (!result && !this.running())
          throw new Error(`${this.name} ended (${JSON.stringify(this.child.exit())}) before ${what}:\n${tail()}`);
        return result;
      },
      { timeoutMs, describe: () => `${what} from ${this.name}; its last lines:\n${tail()}` },
    );
  }
}

/** Fails when any of these processes still runs: a test that starts processes ends with this. */
export const assertNoneLeft = (processes: readonly ProcessHarness[]): void => {
  const left = processes.filter((one) => one.running()).map((one) => `${one.name} (pid ${one.pid})`);
  if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
};
