// The baseline's processes: what one would write after the tutorials of Nest and TypeORM, one for each concern that it has.
import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openEventLog } from '@centralita/event-log';
import { createDatabase, freePorts } from '@centralita/testing-engines';
import { DataSource } from 'typeorm';
import { showComplaints, startProgram } from '../benches/child.js';
import type { Ground } from '../bench.js';
import { Agent, entities } from '../programs/tutorial/entities.js';
import { topics } from '../programs/tutorial/settings.js';
import { SECRET } from './traffic.js';

const AGENTS = 16;
const programs = ['webhook', 'conversation', 'billing'] as const;

export type Tutorial = {
  readonly urls: Readonly<Record<'webhook' | 'conversation', string>>;
  readonly processes: Readonly<Record<string, number>>;
  readonly database: DataSource;
  /** Of its database. */
  readonly name: string;
  stop(): Promise<void>;
};

export const startTutorial = async ({ brokers, databaseUrl }: Ground, graphUrl: string): Promise<Tutorial> => {
  const log = await openEventLog({ brokers: [...brokers], clientId: 'bench' });
  await log.admin.createTopics(Object.values(topics).map((name) => ({ name, partitions: 12, replicationFactor: 1 })));
  await log.close();
  const name = `bench_tutorial_${randomBytes(4).toString('hex')}`;
  const { ownerUrl: url } = await createDatabase(databaseUrl, { name, password: randomBytes(12).toString('hex') });
  const database = await new DataSource({ type: 'postgres', url, entities, synchronize: true }).initialize();
  await database.getRepository(Agent).save(Array.from({ length: AGENTS }, () => ({ id: randomUUID() })));
  const [webhook = 0, conversation = 0] = await freePorts(2);
  const ports: Readonly<Record<string, number>> = { webhook, conversation };
  const running = programs.map((program) => {
    const child = startProgram({
      args: ['--enable-source-maps', fileURLToPath(new URL(`../programs/tutorial/${program}.js`, import.meta.url))],
      env: {
        NODE_ENV: 'production',
        KAFKA_BROKERS: brokers.join(','),
        DATABASE_URL: url,
        SECRET,
        GRAPH_URL: graphUrl,
        HTTP_PORT: String(ports[program] ?? 0),
      },
    });
    return { program, child };
  });
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(({ child }) => ended(child)));
    await database.destroy();
  };
  try {
    await Promise.all(running.map(({ program, child }) => started(program, child)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: { webhook: `http://127.0.0.1:${webhook}`, conversation: `http://127.0.0.1:${conversation}` },
    processes: Object.fromEntries(running.map(({ program, child }) => [program, child.pid as number])),
    database,
    name,
    stop,
  };
};

const started = async (program: string, child: ChildProcess): Promise<void> => {
  const ends = once(child, 'exit').then(() => {
    throw new Error(`the tutorial's ${program} ended before it was ready`);
  });
  if (child.stdout === null) throw new Error('its output is not read');
  await Promise.race([once(child.stdout, 'data'), ends]);
  ends.catch(() => undefined);
  showComplaints(program, child);
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
};
