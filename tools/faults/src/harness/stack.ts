import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removePostgres, startPostgres, until, type RunningPostgres } from '@centralita/testing-engines';
import { startKafka, type RunningKafka } from '@centralita/tool-kafka';
import {
  bringUp,
  caughtUp,
  claim,
  dayPolicy,
  foldersIn,
  Progress,
  projectRoot,
  seedAll,
  type StartContext,
} from '@centralita/tool-start';
import { Fleet } from './fleet.js';
import { SmallDisk } from './small-disk.js';

export type StackOptions = {
  readonly scenario: string;
  readonly seed: number;
  readonly customers: number;
  readonly arrivalMs?: number;
  readonly brokers?: 1 | 3;
  /** Settings of the broker on top of those of a test. */
  readonly brokerSettings?: Readonly<Record<string, string>>;
  /** The log gets a disk of its own, of so many megabytes. */
  readonly logDiskMb?: number;
  /** Environment on top of that of a process, by its name. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Lines about the progress of the scenario. */
  readonly print: (line: string) => void;
};

/** A whole platform of real processes on engines of its own, with the levers to hurt each part. */
export type Stack = {
  readonly fleet: Fleet;
  readonly kafka: RunningKafka;
  postgres: RunningPostgres;
  readonly context: StartContext;
  /** Of the log, when the scenario has asked for one. */
  readonly logDisk: SmallDisk | null;
  /** Starts another database server beside the first, with nothing in it; it stops with the stack. */
  startPostgres(): Promise<RunningPostgres>;
  /** Stops the database server by a signal and starts it again on the same data and port. */
  restartPostgres(signal: NodeJS.Signals): Promise<void>;
};

/** A reply whose caller died is told to be unresolved while the scenario still looks. */
const soon = { UNRESOLVED_AFTER_SECONDS: '20' };

/** People press Retry through the longest outage that a scenario makes. */
const PATIENCE = 240;

/** Brings a platform up for one scenario, and takes everything down again, whatever happens. The folder stays for whoever looks for a cause. */
export const withStack = async <Result>(options: StackOptions, work: (stack: Stack) => Promise<Result>): Promise<Result> => {
  const { scenario, seed, customers, print } = options;
  const folders = foldersIn(join(projectRoot, '.centralita', 'faults', scenario.replaceAll(/[^a-z0-9]+/gi, '-')));
  await SmallDisk.clear(folders.kafka);
  const release = await claim(folders, { fresh: true });
  await rm(join(folders.state, 'given.json'), { force: true });
  const fleet = new Fleet(folders.logs, {
    ...options.settings,
    'ingest-sender': { ...soon, ...options.settings?.['ingest-sender'] },
  });
  const logDisk = options.logDiskMb === undefined ? null : await SmallDisk.mount(folders.kafka, options.logDiskMb);
  const [kafka, firstPostgres] = await Promise.all([
    startKafka({ dataDir: folders.kafka, nodes: options.brokers ?? 1, settings: options.brokerSettings ?? {} }),
    startPostgres({ dataDir: folders.postgres }),
  ]);
  let postgres = firstPostgres;
  const others: RunningPostgres[] = [];
  try {
    const context = await bringUp({
      flags: { once: true, report: null, seed, customers, play: false, keepData: true, quiet: true, observe: false },
      externals: { brokers: kafka.brokers, databaseUrl: postgres.url, oidc: null },
      folders,
      supervisor: fleet,
      engines: { kafka: () => Promise.resolve(kafka), postgres: () => Promise.resolve(postgres) },
      progress: new Progress(() => undefined),
      signal: new AbortController().signal,
      anyPorts: true,
    });
    // Whoever cannot be asked has not caught up.
    const up = (): Promise<boolean> => caughtUp(patient).catch(() => false);
    const patient: StartContext = {
      ...context,
      // Scenarios move databases: checks and collectors must look where the service is now.
      databases: { ...context.databases },
      service: (name) => fleet.specOf(name),
      progress: () => undefined,
      patience: PATIENCE,
      ...(options.arrivalMs === undefined ? {} : { arrivalMs: options.arrivalMs }),
      caughtUp: up,
    };
    await seedAll(patient, dayPolicy);
    print(`up: seed ${seed}, ${customers} customers, logs in ${folders.logs}`);
    return await work({
      fleet,
      kafka,
      context: patient,
      logDisk,
      get postgres() {
        return postgres;
      },
      startPostgres: async () => {
        const dataDir = `${folders.postgres}-${others.length + 2}`;
        await removePostgres(dataDir);
        const other = await startPostgres({ dataDir });
        others.push(other);
        return other;
      },
      restartPostgres: async (signal) => {
        postgres.signal(signal);
        await postgres.died;
        const { port } = postgres;
        // Backends of a postmaster that was killed end when they notice; until then the server refuses to start on their data.
        postgres = await until(() => startPostgres({ dataDir: folders.postgres, port }).catch(() => null), {
          timeoutMs: 60_000,
          describe: 'Postgres to start again on its data',
        });
      },
    });
  } finally {
    await fleet.stop();
    await Promise.all([kafka, postgres, ...others].map((engine) => engine.stop()));
    await logDisk?.unmount();
    await release();
  }
};
