import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@centralita/testing-engines';
import type { RunningPostgres } from '@centralita/testing-engines';
import { startKafka } from '@centralita/tool-kafka';
import type { RunningKafka } from '@centralita/tool-kafka';
import type { Folders } from './folders.js';
import type { Supervisor } from './processes.js';

/** The Kafka and the Postgres that this launcher started, with their log files and their part in an orderly stop. */
export class OwnEngines {
  readonly #kills: (() => void)[] = [];
  readonly #pending: Promise<{ stop(): Promise<void> } | null>[] = [];

  constructor(
    private readonly folders: Folders,
    private readonly supervisor: Supervisor,
    private readonly print: (line: string) => void,
    /** Aborted at Ctrl-C. */
    private readonly signal: AbortSignal,
  ) {}

  async kafka(): Promise<RunningKafka> {
    const running = await this.#keep(startKafka({ dataDir: this.folders.kafka, onLog: this.#log('kafka'), signal: this.signal }));
    this.#kills.push(() => running.nodes.forEach((node) => node.signal('SIGKILL')));
    void running.died.then(({ lastLines }) => this.supervisor.reportDeath('kafka', lastLines));
    return running;
  }

  async postgres(): Promise<RunningPostgres> {
    const running = await this.#keep(startPostgres({ dataDir: this.folders.postgres, onLog: this.#log('postgres') }));
    // Its immediate shutdown: SIGKILL would leave its workers and their shared memory behind.
    this.#kills.push(() => running.signal('SIGQUIT'));
    void running.died.then(({ lastLines }) => this.supervisor.reportDeath('postgres', lastLines));
    if (running.notice !== null) this.print(running.notice);
    return running;
  }

  /** kill -9 for what runs: whoever presses Ctrl-C twice does not wait for a shutdown. */
  kill(): void {
    for (const kill of this.#kills) kill();
  }

  /** Stops what runs and what is still starting; what is being fetched is given up. */
  async stop(): Promise<void> {
    const engines = await Promise.all(this.#pending);
    await Promise.all(engines.filter((engine) => engine !== null).map((engine) => engine.stop()));
  }

  #keep<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    this.#pending.push(starting.catch(() => null));
    return starting;
  }

  /** Everything goes to the file; the screen gets what an operator of a demonstration can act on. */
  #log(name: string): (line: string) => void {
    const file = createWriteStream(join(this.folders.logs, `${name}.log`), { flags: 'a' });
    return (line) => {
      file.write(`${line}\n`);
      if (/\b(PANIC|OutOfMemoryError|fetching the Kafka broker)\b/.test(line)) this.print(`${name.padEnd(14)}| ${line}`);
    };
  }
}
