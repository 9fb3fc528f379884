import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka, until, type RunningKafka } from '@centralita/testing-engines';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LogDrivers, openEventLog, type LogDriver } from '../open.js';
import type { EventLog } from '../port.js';
import { ensureTopics, topicSpecs } from '../topics.js';

const PARTITIONS = 3;

/** A broker of its own: it is away for most of the time. */
describe('an outage of the log', () => {
  let folder = '';
  let kafka: RunningKafka;
  /** Waits as long as a process does, where a consumer may be short of patience. */
  let patient: EventLog;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-outage-'));
    kafka = await startKafka({ dataDir: folder, brokerSessionTimeoutMs: 3000, heapMb: 256 });
    patient = await openEventLog({ brokers: kafka.brokers, clientId: 'outage-writer' });
  }, 60_000);
  afterAll(async () => {
    await patient?.close();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  let away = false;
  const goAway = async (): Promise<void> => {
    away = true;
    const [node] = kafka.nodes;
    node?.signal('SIGKILL');
    await node?.exited();
  };
  const comeBack = async (): Promise<void> => {
    if (away) await kafka.nodes[0]?.restart();
    away = false;
  };
  afterEach(comeBack, 60_000);

  const consume = async (driver: LogDriver, more: { retries?: number } = {}) => {
    const topic = `outage.${randomUUID()}`;
    await ensureTopics(patient.admin, { replicationFactor: 1, minInsyncReplicas: 1 }, [
      { ...topicSpecs[0]!, name: topic, partitions: PARTITIONS },
    ]);
    const missed: string[] = [];
    const note = (_: object, message: string): void => {
      if (/join/.test(message)) missed.push(message);
    };
    const logger = { debug: note, info: note, warn: note, error: note };
    const log = await openEventLog({ driver, brokers: kafka.brokers, clientId: 'outage', logger, ...more });
    const [applied, crashes]: [string[], Error[]] = [[], []];
    const groupId = randomUUID();
    const subscription = await log.subscribe({
      groupId,
      topics: [topic],
      sessionTimeoutMs: 6000,
      maxWaitMs: 100,
      startAt: async () => new Map([...Array(PARTITIONS).keys()].map((partition) => [`${topic}:${partition}`, 0n])),
      onBatch: async (batch) => void applied.push(...batch.records.map(({ value }) => String(value))),
      onCrash: (error) => void crashes.push(error),
    });
    const append = (value: string) => patient.append([{ topic, key: 'k', value: Buffer.from(value) }]);
    await append('before');
    await until(() => applied.includes('before'), { timeoutMs: 30_000 });
    return { log, subscription, applied, crashes, missed, append };
  };

  describe.each(LogDrivers)('for a consumer over %s', (driver) => {
    it('lasts longer than its client is patient, and the consumer goes on by itself', async () => {
      const sut = await consume(driver, { retries: 2 });
      try {
        await goAway();
        await until(() => sut.missed.length >= 3 || sut.crashes.length > 0, {
          timeoutMs: 60_000,
          describe: 'the consumer to fail to join, time and again',
        });
        expect(sut.subscription.assigned()).toEqual([]);
        await comeBack();
        await sut.append('after');
        await until(() => sut.applied.includes('after'), { timeoutMs: 60_000, describe: () => sut.missed.join('; ') });
        expect(sut.subscription.assigned()).toHaveLength(PARTITIONS);
        expect(sut.crashes).toEqual([]);
      } finally {
        await sut.log.close();
      }
    }, 150_000);

    it('does not hold up a drain: before it is noticed, and while it is waited out', async () => {
      const [unaware, waiting] = await Promise.all([consume(driver), consume(driver, { retries: 2 })]);
      const closing = async ({ subscription }: typeof waiting): Promise<number> => {
        const started = performance.now();
        await subscription.close();
        return performance.now() - started;
      };
      try {
        await goAway();
        // 10 s is what a drain has for its consumers.
        expect(await closing(unaware)).toBeLessThan(8000);
        await until(() => waiting.missed.length >= 2, { timeoutMs: 60_000 });
        expect(await closing(waiting)).toBeLessThan(8000);
        expect([...unaware.crashes, ...waiting.crashes]).toEqual([]);
      } finally {
        await Promise.all([unaware.log.close(), waiting.log.close()]);
      }
    }, 150_000);
  });
});
