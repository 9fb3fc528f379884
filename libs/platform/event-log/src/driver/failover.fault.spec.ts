import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { startKafka, until, type RunningKafka } from '@centralita/testing-engines';
import { Kafka, logLevel } from 'kafkajs';
import { Batcher } from '../batcher.js';
import { LogDrivers, openEventLog } from '../open.js';
import { partitionKey, type EventLog, type StoredRecord, type Subscription } from '../port.js';
import { ensureTopics, topicSpecs } from '../topics.js';

const PARTITIONS = 6;

type Acked = { key: string; n: number };

/** Appends numbered values under many keys until told to stop, and remembers what was acknowledged. */
const load = (append: (key: string, value: string) => Promise<void>, keys: number) => {
  const acked: Acked[] = [];
  const errors: string[] = [];
  let running = true;
  const writers = Array.from({ length: keys }, async (_, k) => {
    for (let n = 0; running; n++) {
      try {
        await append(`key-${k}`, String(n));
        acked.push({ key: `key-${k}`, n });
      } catch (error) {
        errors.push(error instanceof PlatformError ? error.code : String(error));
      }
      await sleep(1);
    }
  });
  return {
    acked,
    errors,
    stop: async () => {
      running = false;
      await Promise.all(writers);
    },
  };
};

/** A consumer that keeps its offsets as a transaction would, and notes every record that it applies. */
const follow = async (log: EventLog, topic: string) => {
  const stored = new Map<string, bigint>();
  const applied: StoredRecord[] = [];
  const crashes: Error[] = [];
  const subscription: Subscription = await log.subscribe({
    groupId: randomUUID(),
    topics: [topic],
    sessionTimeoutMs: 6000,
    maxWaitMs: 100,
    startAt: async () => stored,
    onBatch: async (batch) => {
      const place = partitionKey(batch.topic, batch.partition);
      if (batch.firstOffset !== (stored.get(place) ?? 0n)) throw new PlatformError('STALE_EPOCH', 'not the next offset');
      stored.set(place, batch.lastOffset + 1n);
      applied.push(...batch.records);
    },
    onCrash: (error) => void crashes.push(error),
  });
  return { applied, crashes, subscription };
};

const expectHistory = (records: readonly StoredRecord[], acked: readonly Acked[]): void => {
  const byKey = Map.groupBy(records, ({ key }) => String(key));
  for (const [key, own] of Map.groupBy(acked, (each) => each.key)) {
    const firsts = [...new Set((byKey.get(key) ?? []).map(({ value }) => Number(String(value))))];
    const present = new Set(firsts);
    expect(own.filter(({ n }) => !present.has(n))).toEqual([]);
    // A writer waits for each answer, so what was acknowledged later stands later.
    const ackedHere = new Set(own.map(({ n }) => n));
    const order = firsts.filter((n) => ackedHere.has(n));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
};

const readAll = async (log: EventLog, topic: string): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = [];
  const ranges = [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to }));
  await log.read(ranges, async (some) => void records.push(...some));
  return records;
};

const summary = (name: string, fields: object): void => {
  process.stdout.write(`${name}: ${JSON.stringify(fields)}\n`);
};

const cases = LogDrivers.flatMap((driver) => [
  { driver, nodes: 3 as const },
  { driver, nodes: 1 as const },
]);

describe.each(cases)('the log over $driver on $nodes brokers', ({ driver, nodes }) => {
  let kafka: RunningKafka;
  let folder: string;
  let log: EventLog;
  let topic: string;
  const replaced: string[] = [];
  const told: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-failover-'));
    kafka = await startKafka({ dataDir: folder, nodes, brokerSessionTimeoutMs: 3000, heapMb: 256 });
    const metrics = { producerReplaced: ({ reason }: { reason: string }) => void replaced.push(reason) };
    const tell = (details: object): void => void told.push(JSON.stringify(details));
    log = await openEventLog({
      driver,
      brokers: kafka.brokers,
      clientId: 'failover',
      metrics,
      logger: { debug: tell, info: tell, warn: tell, error: tell },
    });
    topic = `failover.${randomUUID()}`;
    const spec = { ...topicSpecs[0]!, name: topic, partitions: PARTITIONS };
    await ensureTopics(log.admin, { replicationFactor: nodes, minInsyncReplicas: Math.min(nodes, 2) }, [spec]);
  }, 120_000);
  afterAll(async () => {
    await log.close();
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  }, 120_000);

  const leaderOf = async (partition: number): Promise<string> => {
    const admin = new Kafka({ clientId: 'test', brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.disconnect();
    const leader = metadata.topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader;
    const node = brokers.find(({ nodeId }) => nodeId === leader);
    return `${node?.host}:${node?.port}`;
  };

  it('loses nothing that it acknowledged, and keeps every key in order, while a leader is killed under load', async () => {
    const batcher = new Batcher({ log });
    const { applied, crashes, subscription } = await follow(log, topic);
    const writing = load((key, value) => batcher.add([{ topic, key, value: Buffer.from(value) }]), 24);
    await until(() => writing.acked.length > 1000, { timeoutMs: 30_000 });
    const address = await leaderOf(0);
    const victim = kafka.nodes.find(({ broker }) => broker === address);
    expect(victim).toBeDefined();
    victim?.signal('SIGKILL');
    await until(() => victim?.running() === false);
    const killedAt = writing.acked.length;
    const killed = performance.now();
    if (nodes === 1) await victim?.restart();
    await until(() => writing.acked.length > killedAt + 1000, { timeoutMs: 60_000 });
    const stall = performance.now() - killed;
    if (nodes === 3) await victim?.restart();
    await until(() => writing.acked.length > killedAt + 3000, { timeoutMs: 60_000 });
    await writing.stop();
    await batcher.close();
    const records = await readAll(log, topic);
    summary(`${driver}, ${nodes} brokers, leader killed`, {
      acked: writing.acked.length,
      onLog: records.length,
      errors: writing.errors.length,
      replaced,
      secondsUntil1000More: Math.round(stall / 100) / 10,
    });
    expectHistory(records, writing.acked);
    // The consumer has lived through it too: everything once, in order, nothing skipped.
    await until(() => applied.length === records.length, {
      timeoutMs: 60_000,
      describe: () => `${records.length} records, ${applied.length} applied`,
    });
    expectHistory(applied, writing.acked);
    expect(crashes).toEqual([]);
    await subscription.close();
  }, 240_000);

  it('acknowledges nothing that is not replicated, and goes on by itself when it can be', async () => {
    const victims = nodes === 3 ? kafka.nodes.slice(0, 2) : kafka.nodes;
    for (const node of victims) node.signal('SIGKILL');
    await until(() => victims.every((node) => !node.running()));
    // As the relay and the webhook do: an append that could not be stored is tried again, whether the client or its caller does it.
    const batcher = new Batcher({ log });
    let settled = '';
    const trying = async (): Promise<void> => {
      while (settled === '')
        settled = await batcher.add([{ topic, key: 'lonely', value: Buffer.from('0') }]).then(
          () => 'acked',
          (error: unknown) => (error instanceof PlatformError && error.retryable ? '' : String(error)),
        );
    };
    const appending = trying();
    // The client has asked again and again, and been refused or not answered.
    const refusal = /Produce|NOT_ENOUGH_REPLICAS|REQUEST_TIMED_OUT|ECONNREFUSED|not enough/i;
    const refusals = () => told.filter((line) => refusal.test(line)).length;
    const before = refusals();
    // A leader that is left alone answers when its wait for the replicas is over.
    await until(() => refusals() > before + 1, {
      timeoutMs: 60_000,
      describe: () => `refusals; last: ${told.slice(-5).join('\n')}`,
    });
    expect(settled).toBe('');
    await Promise.all(victims.map((node) => node.restart()));
    await appending;
    expect(settled).toBe('acked');
    await batcher.close();
    // The end of a partition may lag for a moment behind what its new leader has.
    await until(async () => (await readAll(log, topic)).some(({ key }) => String(key) === 'lonely'));
  }, 240_000);
});
