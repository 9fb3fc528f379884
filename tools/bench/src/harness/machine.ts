import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import pg from 'pg';
import type { Cores } from '../bench.js';
import type { RunningEngines } from './engines.js';

export type Machine = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly postgres: string | null;
  readonly kafka: string | null;
  /** What runs where. */
  readonly placement: string;
  /** Load of the last minute when the run began: above 1 somebody else was at work. */
  readonly load: number;
};

/** One core for the side under test, the others for engines and load; null where there is one core or no taskset. */
export const coresToUse = (): Cores | null => {
  const count = cpus().length;
  if (count < 2 || spawnSync('taskset', ['-c', '0', 'true']).status !== 0) return null;
  return { side: count - 1, rest: count === 2 ? '0' : `0-${count - 2}` };
};

/** Moves a process with all its threads; what it starts later stays there. */
export const pin = (pid: number, cores: string): void => {
  spawnSync('taskset', ['-a', '-c', '-p', cores, String(pid)]);
};

const postgresVersion = async (url: string): Promise<string> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ setting: string }>(
      `select setting from pg_settings where name in ('server_version', 'fsync', 'synchronous_commit') order by name desc`,
    );
    const [commit, version, fsync] = rows.map(({ setting }) => setting);
    return `${version}, fsync ${fsync}, synchronous_commit ${commit}`;
  } finally {
    await client.end();
  }
};

const kafkaVersion = (): string => {
  const pom = readFileSync(new URL('../../../kafka/pom.xml', import.meta.url), 'utf8');
  return /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? 'of tools/kafka';
};

export const describeMachine = async (engines: RunningEngines, cores: Cores | null): Promise<Machine> => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGib: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
  postgres: engines.databaseUrl === '' ? null : await postgresVersion(engines.databaseUrl),
  kafka: engines.brokers.length === 0 ? null : engines.own.kafka === undefined ? 'given by KAFKA_BROKERS' : kafkaVersion(),
  placement:
    cores === null
      ? 'nothing is pinned'
      : `the side under test on core ${cores.side}; engines that this run has started, and the load, on core ${cores.rest}`,
  load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
});
