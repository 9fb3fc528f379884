// How cost grows with the number of partitions: the programs of P1 and P3, each side on a broker of its own whose topics have as many.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Case, Ground, Side } from '../bench.js';
import { startBenchKafka } from '../harness/kafka.js';
import { pin } from '../harness/machine.js';
import { ourWebhook, setUpWebhook } from './p1.js';
import { ourReplay, setUpReplay } from './p3.js';

/** What the platform's topics have. */
const USUAL = 12;

const sideOf = async (ground: Ground, parameters: Case['parameters'], partitions: number, name: string): Promise<Side> => {
  const { replay = 0 } = parameters;
  const folder = join(ground.folder, `${name}-${replay === 1 ? 'replay' : 'produce'}-${parameters['partitions'] ?? 0}`);
  await mkdir(folder, { recursive: true });
  const kafka = await startBenchKafka({ dataDir: join(folder, 'kafka'), heapMb: 512 });
  const pid = kafka.pids[0] as number;
  if (ground.cores !== null) pin(pid, ground.cores.rest);
  try {
    const own = { ...ground, folder, brokers: kafka.brokers };
    const made = replay === 1 ? await setUpReplay(own, partitions) : await setUpWebhook(own, partitions);
    const side = replay === 1 ? await ourReplay({ ...own, made }) : await ourWebhook({ ...own, made }, parameters);
    const close = (): Promise<void> => side.close().finally(() => kafka.stop());
    return { ...side, engines: { kafka: pid }, close };
  } catch (error) {
    await kafka.stop();
    throw error;
  }
};

const produce = { items: 100, deliveries: 300, connections: 16 };
const cases = [1, 48].flatMap((partitions): Case[] => [
  { name: `produce over ${partitions}`, goal: null, parameters: { ...produce, partitions } },
  { name: `replay over ${partitions}`, goal: null, parameters: { replay: 1, partitions } },
]);

export const p5: Bench = {
  id: 'P5',
  what: 'the webhook and the replay of billing over 1 and 48 partitions',
  baseline: 'the same over 12, on a broker of its own',
  engines: ['postgres'],
  cases,
  setUp: async () => ({}),
  ours: (ground, parameters) => sideOf(ground, parameters, parameters['partitions'] ?? USUAL, 'ours'),
  theirs: (ground, parameters) => sideOf(ground, parameters, USUAL, 'theirs'),
};
