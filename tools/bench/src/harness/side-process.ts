import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ground, SideName } from '../bench.js';

export type SideRequest =
  | {
      readonly ask: 'open';
      readonly bench: string;
      readonly side: SideName;
      readonly ground: Ground;
      readonly parameters: Readonly<Record<string, number>>;
    }
  | { readonly ask: 'round'; readonly seconds: number }
  | { readonly ask: 'close' };

/** What a side says of a round. Processor time is in microseconds, that of the engines meanwhile apart, null where it cannot be known. */
export type Sample = {
  readonly messages: number;
  readonly seconds: number;
  readonly processor: number | null;
  readonly engines: number | null;
  readonly figures: Readonly<Record<string, number>>;
};
export type SideAnswer = { readonly sample?: Sample } | { readonly error: string };

/** The process of one side, on its core. */
export class SideProcess {
  readonly #child: ChildProcess;
  #waiting: { resolve: (answer: SideAnswer) => void } | null = null;

  constructor(ground: Ground, profile: string | null) {
    const node = [process.execPath, '--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];
    const program = [...node, fileURLToPath(new URL('../side.js', import.meta.url))];
    const [command = '', ...args] = ground.cores === null ? program : ['taskset', '-c', String(ground.cores.side), ...program];
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // By the environment, so that what a side starts is profiled as well.
      env: { ...process.env, ...(profile === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }) },
    });
    this.#child.on('message', (answer: SideAnswer) => this.#answer(answer));
    this.#child.on('exit', (code) => this.#answer({ error: `the process of a side ended with ${String(code)}` }));
    this.#child.on('error', (error) => this.#answer({ error: error.message }));
  }

  async ask(request: SideRequest): Promise<Sample | undefined> {
    const answer = await new Promise<SideAnswer>((resolve) => {
      this.#waiting = { resolve };
      this.#child.send(request, (error) => error && this.#answer({ error: error.message }));
    });
    if ('error' in answer) throw new Error(answer.error);
    return answer.sample;
  }

  /** Ends it in order, so that it can write its profile. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.ask({ ask: 'close' }).catch(() => this.#child.kill('SIGKILL'));
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  #answer(answer: SideAnswer): void {
    this.#waiting?.resolve(answer);
    this.#waiting = null;
  }
}
