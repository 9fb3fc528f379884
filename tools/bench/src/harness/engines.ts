import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, startPostgres } from '@centralita/testing-engines';
import type { Cores } from '../bench.js';
import { startBenchKafka } from './kafka.js';
import { pin } from './machine.js';
import { once } from './once.js';

export type RunningEngines = {
  /** Empty when the bench needs none. */
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  /** Processes that were started here, for their processor time; an engine that the environment named is not among them. */
  readonly own: Readonly<Partial<Record<'postgres' | 'kafka', number>>>;
  readonly folder: string;
  stop(): Promise<void>;
};

/**
 * The engines that a bench needs, as durable as in production (fsync on), unless KAFKA_BROKERS or DATABASE_URL name others. What is
 * started here is pinned, and removed with all data.
 */
export const startBenchEngines = async (
  needed: ReadonlySet<'postgres' | 'kafka'>,
  cores: Cores | null,
): Promise<RunningEngines> => {
  const folder = await mkdtemp(join(tmpdir(), 'centralita-bench-'));
  // Postgres may have to run as another account, which must get through.
  await chmod(folder, 0o755);
  const stops: (() => Promise<void>)[] = [];
  const own: Partial<Record<'postgres' | 'kafka', number>> = {};
  // A signal and the end of the run may both ask for it.
  const stop = once(async () => {
    await Promise.all(stops.map((one) => one()));
    await removePostgres(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  });
  const place = (pid: number): number => {
    if (cores !== null) pin(pid, cores.rest);
    return pid;
  };
  try {
    let databaseUrl = process.env['DATABASE_URL'] ?? '';
    if (needed.has('postgres') && databaseUrl === '') {
      const running = await startPostgres({ dataDir: join(folder, 'postgres'), durable: true, maxConnections: 200 });
      stops.push(() => running.stop());
      databaseUrl = running.url;
      own.postgres = place(running.pid);
    }
    let brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
    if (needed.has('kafka') && brokers.length === 0) {
      const running = await startBenchKafka({ dataDir: join(folder, 'kafka'), heapMb: 768 });
      stops.push(() => running.stop());
      brokers = running.brokers;
      own.kafka = place(running.pids[0] as number);
    }
    return { databaseUrl: needed.has('postgres') ? databaseUrl : '', brokers, own, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
