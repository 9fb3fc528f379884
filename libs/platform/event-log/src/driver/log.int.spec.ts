import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { createTestTopics, freePort, testBrokers, until } from '@centralita/testing-engines';
import { ConfigResourceTypes, Kafka, logLevel, Partitioners, type Admin } from 'kafkajs';
import { LogDrivers, openEventLog } from '../open.js';
import { partitionKey, type EventLog, type LogMetrics, type StoredRecord } from '../port.js';
import { ensureTopics, topicSpecs } from '../topics.js';

describe.each(LogDrivers)('the log over %s', (driver) => {
  const client = new Kafka({ clientId: 'test', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  let admin: Admin;
  let log: EventLog;
  const samples: { appended: boolean[]; consumed: bigint[]; rebalanced: number[] } = {
    appended: [],
    consumed: [],
    rebalanced: [],
  };
  const metrics: LogMetrics = {
    appended: ({ ok }) => void samples.appended.push(ok),
    consumed: ({ lag }) => void samples.consumed.push(lag),
    rebalanced: ({ partitions }) => void samples.rebalanced.push(partitions),
  };
  beforeAll(async () => {
    admin = client.admin();
    await admin.connect();
    log = await openEventLog({ driver, brokers: testBrokers(), clientId: 'driver', compression: 'gzip', metrics });
  });
  afterAll(async () => {
    await log.close();
    await admin.disconnect();
  });
  const readAll = async (topic: string): Promise<StoredRecord[]> => {
    const records: StoredRecord[] = [];
    const ranges = [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to }));
    await log.read(ranges, async (some) => void records.push(...some));
    return records;
  };

  it('appends compressed, consumes, and tells the meters', async () => {
    const { topic } = await createTestTopics(['topic']);
    await log.append(Array.from({ length: 50 }, (_, n) => ({ topic, key: 'k', value: Buffer.from(`value ${n}`) })));
    const seen: string[] = [];
    const subscription = await log.subscribe({
      groupId: randomUUID(),
      topics: [topic],
      maxRecords: 20,
      startAt: async () => new Map(),
      onBatch: async (batch) => void seen.push(...batch.records.map(({ value }) => String(value))),
      onCrash: () => undefined,
    });
    await until(() => seen.length === 50);
    await subscription.close();
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => `value ${n}`));
    expect(samples).toEqual({ appended: [true], consumed: [30n, 10n, 0n], rebalanced: [1] });
  });

  it('keeps the bytes of what other producers wrote, a repeated header too', async () => {
    const { topic } = await createTestTopics(['topic']);
    const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({
      topic,
      messages: [{ key: 'k', value: null, headers: { twice: [Buffer.from('1'), Buffer.from('2')] } }],
    });
    await producer.disconnect();
    const [record] = await readAll(topic);
    expect(record?.headers).toEqual({ twice: Buffer.from('1'), 'twice\u00001': Buffer.from('2') });
  });

  it('stops, instead of going on at the end, when the log is lost under a running consumer', async () => {
    const { topic } = await createTestTopics(['topic']);
    const values = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, n) => ({ topic, key: 'k', value: Buffer.from(`${prefix}${n}`) }));
    await log.append(values('old', 10));
    const seen: string[] = [];
    const crashes: Error[] = [];
    await log.subscribe({
      groupId: randomUUID(),
      topics: [topic],
      maxWaitMs: 100,
      startAt: async () => new Map([[partitionKey(topic, 0), 8n]]),
      onBatch: async (batch) => void seen.push(...batch.records.map(({ value }) => String(value))),
      onCrash: (error) => void crashes.push(error),
    });
    await until(() => seen.length === 2);
    const [before] = (await log.admin.topicIds([topic])).values();
    await admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await admin.listTopics()).includes(topic));
    await log.admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
    // What this process was acknowledged before is not there: nobody may believe that the new records will stay.
    await expect(log.append(values('new', 3))).rejects.toMatchObject({ code: 'LOG_BEHIND_STORE' });
    await until(() => crashes.length > 0, { timeoutMs: 40_000 });
    expect(crashes).toMatchObject([{ code: 'OFFSET_OUT_OF_RANGE' }]);
    expect(seen).toEqual(['old8', 'old9']);
    expect([...(await log.admin.topicIds([topic])).values()]).not.toContain(before);
  });

  it('ends for good, at once, when the coordinator refuses what was asked for', async () => {
    const { topic } = await createTestTopics(['topic']);
    const crashes: Error[] = [];
    const started = performance.now();
    const subscribing = log.subscribe({
      groupId: randomUUID(),
      topics: [topic],
      // Shorter than a broker allows.
      sessionTimeoutMs: 10,
      rebalanceTimeoutMs: 100,
      startAt: async () => new Map(),
      onBatch: async () => undefined,
      onCrash: (error) => void crashes.push(error),
    });
    await expect(subscribing).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', retryable: false });
    expect(crashes).toEqual([]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('creates the topics of the platform and refuses to change them', async () => {
    const suffix = randomUUID();
    const specs = topicSpecs.slice(0, 2).map((spec) => ({ ...spec, name: `${spec.name}.${suffix}` }));
    const options = { replicationFactor: 1, minInsyncReplicas: 1 };
    await ensureTopics(log.admin, options, specs);
    await ensureTopics(log.admin, options, specs);
    const [name = ''] = specs.map((spec) => spec.name);
    const [described] = await log.admin.describeTopics([name]);
    expect(described).toMatchObject({ partitions: 12, config: { ...specs[0]?.config, 'min.insync.replicas': '1' } });
    await expect(ensureTopics(log.admin, { ...options, partitions: 24 }, specs)).rejects.toMatchObject({
      code: 'TOPIC_MISMATCH',
    });
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
    });
    await until(async () => (await log.admin.describeTopics([name]))[0]?.config['retention.ms'] === '1000');
    const refused = await ensureTopics(log.admin, options, specs).catch((error: unknown) => error);
    expect(isPlatformError(refused, 'TOPIC_MISMATCH') && refused.message).toContain(`${name} has retention.ms=1000, not -1`);
    const more = { name: `more.${suffix}`, partitions: 1, replicationFactor: 3 };
    await expect(log.admin.createTopics([more])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });

  it('says LOG_UNAVAILABLE, which may pass, when nobody listens', async () => {
    const alone = await openEventLog({ driver, brokers: [`127.0.0.1:${await freePort()}`], clientId: 'alone', retries: 3 });
    await expect(alone.append([{ topic: 't', key: 'k', value: null }])).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retryable: true,
    });
    await alone.close();
  });
});
