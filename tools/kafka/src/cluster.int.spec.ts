import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { boundToParent, startKafka } from './index.js';
import type { RunningKafka } from './index.js';

const client = (kafka: RunningKafka): Kafka =>
  new Kafka({
    clientId: 'spec',
    brokers: kafka.nodes.filter((node) => node.running()).map((node) => node.broker),
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2_000 },
  });

const createTopic = async (kafka: RunningKafka, replicationFactor: number): Promise<void> => {
  const admin = client(kafka).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1, replicationFactor }], waitForLeaders: false });
  await admin.disconnect();
};

/** kafkajs gives up at once on a leader that has just died: asked again until another one leads. */
const untilAnotherLeads = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (const deadline = Date.now() + 30_000; ;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(100);
    }
  }
};

const records = async (kafka: RunningKafka): Promise<number> => {
  const admin = client(kafka).admin();
  await admin.connect();
  try {
    const [end] = await untilAnotherLeads(() => admin.fetchTopicOffsets('kept'));
    return Number(end?.high);
  } finally {
    await admin.disconnect();
  }
};

const append = async (kafka: RunningKafka): Promise<void> => {
  // Whoever answers this leads the partition: the send after it need not be tried twice, which could write twice.
  await records(kafka);
  const producer = client(kafka).producer({ idempotent: true, maxInFlightRequests: 1 });
  await untilAnotherLeads(() => producer.connect());
  await producer.send({ topic: 'kept', acks: -1, messages: [{ key: 'k', value: 'v' }] });
  await producer.disconnect();
};

describe('a Kafka of our own', () => {
  let folder: string;
  let sut: RunningKafka | null = null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
  });
  afterEach(async () => {
    await sut?.stop();
    sut = null;
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps its records over a stop and over kill -9', async () => {
    const first = (sut = await startKafka({ dataDir: folder, brokerSessionTimeoutMs: 3_000 }));
    await createTopic(first, 1);
    await append(first);
    await first.stop();
    const second = (sut = await startKafka({ dataDir: folder, brokerSessionTimeoutMs: 3_000 }));
    expect(second.brokers).toEqual(first.brokers);
    expect(await records(second)).toBe(1);
    await append(second);
    second.nodes[0]?.signal('SIGKILL');
    await second.nodes[0]?.restart();
    expect(await records(second)).toBe(2);
  });

  it('acknowledges with two of three nodes', async () => {
    sut = await startKafka({ dataDir: folder, nodes: 3, heapMb: 256 });
    await createTopic(sut, 3);
    await append(sut);
    sut.nodes[2]?.signal('SIGKILL');
    await sut.nodes[2]?.exited();
    await append(sut);
    expect(await records(sut)).toBe(2);
    expect(sut.nodes.map((node) => node.running())).toEqual([true, true, false]);
  });

  it('names a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(startKafka({ dataDir: folder, ports: [port] })).rejects.toThrow(`port ${port} is taken`);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('a process bound to its parent', () => {
  it('ends when the parent is killed', async () => {
    const [command, args] = boundToParent('sleep', ['600'], 'KILL');
    const script = `const child = require('child_process').spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}, { detached: true, stdio: 'inherit' }); console.log(child.pid)`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: parent.stdout });
    const [line] = (await new Promise<string[]>((resolve) => lines.once('line', (text) => resolve([text])))) as [string];
    expect(() => process.kill(Number(line), 0)).not.toThrow();
    // The grandchild holds the same pipe: its end is the end of both.
    const bothGone = new Promise((resolve) => parent.once('close', resolve));
    parent.kill('SIGKILL');
    await bothGone;
  });
});
