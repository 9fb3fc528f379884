import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, startKafka, startPostgres } from '@centralita/testing-engines';
import type { Cores } from '../bench.js';
import { pin } from './machine.js';

export type RunningEngines = {
  /** Empty when the bench needs none. */
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  /** Processes of ours, for their processor time; null when the environment named the engine. */
  readonly own: { readonly postgres: number | null; readonly kafka: number | null };
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
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((one) => one()));
    await removePostgres(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  };
  const place = (pid: number): number => {
    if (cores !== null) pin(pid, cores.rest);
    return pid;
  };
  try {
    let databaseUrl = process.env['DATABASE_URL'] ?? '';
    let postgres: number | null = null;
    if (needed.has('postgres') && databaseUrl === '') {
      const running = await startPostgres({ dataDir: join(folder, 'postgres'), durable: true, maxConnections: 200 });
      stops.push(() => running.stop());
      databaseUrl = running.url;
      postgres = place(running.pid);
    }
    let brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
    let kafka: number | null = null;
    if (needed.has('kafka') && brokers.length === 0) {
      // Tests start their broker with the quick compiler only. This variable is the one that wins over a command line.
      process.env['_JAVA_OPTIONS'] = '-XX:TieredStopAtLevel=4';
      const running = await startKafka({ dataDir: join(folder, 'kafka'), heapMb: 768 });
      stops.push(() => running.stop());
      brokers = running.brokers;
      kafka = place(running.pids[0] as number);
    }
    return { databaseUrl: needed.has('postgres') ? databaseUrl : '', brokers, own: { postgres, kafka }, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
