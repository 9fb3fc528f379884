import { describe, expect, it } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { compatibilityPartitioner, defaultPartitioner, NetworkError, type Broker, type NumericMap } from '@platformatic/kafka';
import fc from 'fast-check';
import { Appender, type PlacedRecord } from '../driver/appender.js';
import { partitionOf } from '../partitioner.js';
import { partitionKey, type LogRecord } from '../port.js';
import { protocolError } from './answers.js';
import type { TopicInfo } from './directory.js';
import { IdempotentProducer, type ProducerDeps } from './producer.js';

const PARTITIONS = 3;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const brokers: readonly Broker[] = [1, 2, 3].map((port) => ({ host: 'broker', port }));

type Message = { topic: string; partition: number; key?: Buffer; value: Buffer };
type Fault = 'none' | 'refused' | 'answer lost' | 'half an answer' | 'leaders move' | 'no leader' | number;

/**
 * Brokers with idempotence as Kafka has it: a leader knows a request of a producer by its numbers alone, and refuses numbers that do not
 * follow. Leaders are where the cluster says; the directory's picture of it ages until it is asked again. One fault a request.
 */
class FakeCluster {
  readonly stored: { partition: number; key: string; value: string }[] = [];
  readonly requests: { broker: number; partitions: number[] }[] = [];
  producers = 0;
  #offsets = 0;
  #leaders: (number | undefined)[] = [1, 2, 3];
  #known: TopicInfo | undefined;
  #next = new Map<string, number>();
  #batches = new Set<string>();

  constructor(private readonly faults: Fault[] = []) {}

  readonly deps = (): ProducerDeps => ({
    directory: {
      ask: async () => ({ throttleTimeMs: 0, errorCode: 0, producerId: BigInt(++this.producers), producerEpoch: 0 }) as never,
      existing: async () => {
        const leaders = this.#leaders.map((port) => {
          const broker = brokers.find((each) => each.port === port);
          return broker && { broker, epoch: 0 };
        });
        this.#known = { id: 'topic', leaders };
        return new Map([['topic', this.#known]]);
      },
      known: () => this.#known,
    },
    wire: {
      send: async (broker: Broker, _api: unknown, ...args: unknown[]) => {
        const [, , messages, options] = args as [number, number, Message[], { producerId: bigint; sequences: NumericMap }];
        await Promise.resolve();
        return this.#receive(broker.port, messages, options) as never;
      },
      close: async () => undefined,
    },
    compression: 'none',
    logger: silent,
    tries: 20,
  });

  #receive(port: number, messages: Message[], { producerId, sequences }: { producerId: bigint; sequences: NumericMap }) {
    const byPartition = Map.groupBy(messages, ({ partition }) => partition);
    this.requests.push({ broker: port, partitions: [...byPartition.keys()] });
    const fault = this.faults.shift() ?? 'none';
    if (fault === 'refused') throw new NetworkError('refused');
    if (typeof fault === 'number') throw protocolError(fault);
    // Every partition goes to another broker, each to its own.
    if (fault === 'leaders move') this.#leaders = this.#leaders.map((leader) => ((leader ?? 0) % 3) + 1);
    if (fault === 'no leader') {
      const gone = this.#leaders;
      this.#leaders = gone.map(() => undefined);
      void Promise.resolve().then(() => setImmediate(() => (this.#leaders = gone)));
    }
    const partitionResponses = [...byPartition].map(([index, own]) => {
      const errorCode = this.#leaders[index] === port ? this.#store(producerId, index, own, sequences) : 6;
      return { index, errorCode, baseOffset: errorCode === 0 ? BigInt(this.#offsets++) : -1n };
    });
    if (fault === 'answer lost') throw new NetworkError('closed');
    return {
      responses: [
        { name: 'topic', partitionResponses: fault === 'half an answer' ? partitionResponses.slice(1) : partitionResponses },
      ],
    };
  }

  #store(producerId: bigint, partition: number, own: Message[], sequences: NumericMap): number {
    const sequence = sequences.get(partitionKey('topic', partition)) as number;
    const place = `${producerId}/${partition}`;
    const batch = `${place}/${sequence}/${own.length}`;
    if (this.#batches.has(batch)) return 0;
    if (sequence !== (this.#next.get(place) ?? 0)) return 45;
    this.#batches.add(batch);
    this.#next.set(place, sequence + own.length);
    for (const { key, value } of own) this.stored.push({ partition, key: String(key), value: String(value) });
    return 0;
  }
}

const placed = (partition: number, value: string): PlacedRecord => ({
  topic: 'topic',
  partition,
  key: 'k',
  value: Buffer.from(value),
  bytes: 1,
});
const one = (partition: number) => expect.objectContaining({ topic: 'topic', partition, offset: expect.any(BigInt) });
const connected = async (cluster: FakeCluster): Promise<IdempotentProducer> => {
  const sut = new IdempotentProducer(cluster.deps());
  await sut.connect();
  return sut;
};

describe('producing', () => {
  it('follows each partition to its own new leader, and stores nothing twice', async () => {
    const cluster = new FakeCluster(['none', 'none', 'none', 'leaders move']);
    const sut = await connected(cluster);
    await sut.send([placed(0, 'a'), placed(1, 'b'), placed(2, 'c')]);
    const acknowledged = await sut.send([placed(0, 'd'), placed(1, 'e'), placed(2, 'f')]);
    expect(acknowledged.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
    expect(cluster.stored.map(({ value }) => value).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    for (const { partitions } of cluster.requests) expect(partitions).toHaveLength(1);
  });

  it('asks again only for what was not stored', async () => {
    const cluster = new FakeCluster(['half an answer']);
    const sut = await connected(cluster);
    expect(await sut.send([placed(1, 'a'), placed(2, 'b')])).toEqual(expect.arrayContaining([one(1), one(2)]));
    expect(cluster.requests).toEqual([
      { broker: 2, partitions: [1] },
      { broker: 3, partitions: [2] },
      { broker: 2, partitions: [1] },
    ]);
    expect(cluster.stored.map(({ value }) => value).sort()).toEqual(['a', 'b']);
  });

  it.each(['refused', 'answer lost', 'no leader', 6, 7, 19, 20] as const)('keeps its numbers through %s', async (fault) => {
    const cluster = new FakeCluster([fault]);
    const sut = await connected(cluster);
    await sut.send([placed(0, 'a')]);
    await sut.send([placed(0, 'b')]);
    expect(cluster.stored.map(({ value }) => value)).toEqual(['a', 'b']);
  });

  it.each([45, 46, 47, 59, 90, 10, 29])('gives up at once after code %i, and says what was stored', async (code) => {
    const sut = await connected(new FakeCluster([code]));
    await expect(sut.send([placed(0, 'a')])).rejects.toMatchObject({ apiCode: code });
    const partly = await connected(new FakeCluster([code, 'none']));
    expect(await partly.send([placed(0, 'a'), placed(1, 'b')])).toEqual([one(1)]);
  });

  it('never acknowledges what is not stored, stores nothing twice under one producer, and keeps the order of each key', async () => {
    const fault = fc.oneof(
      { weight: 4, arbitrary: fc.constant<Fault>('none') },
      fc.constantFrom<Fault>('refused', 'answer lost', 'half an answer', 'leaders move', 'no leader', 19, 45),
    );
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 6 }),
        fc.array(keys, { minLength: 1, maxLength: 6 }),
        async (faults, appends) => {
          const cluster = new FakeCluster([...faults]);
          const sut = new Appender({
            createProducer: () => new IdempotentProducer(cluster.deps()),
            limitsOf: async () => ({ partitions: PARTITIONS, maxRecordBytes: 1000 }),
            logger: silent,
            metrics: {},
          });
          const acknowledged: { key: string; value: string }[] = [];
          await Promise.all(
            appends.map((own, index) => {
              const records = own.map((key, n): LogRecord & { key: string } => ({
                topic: 'topic',
                key,
                value: Buffer.from(`${index}.${n}`),
              }));
              return sut.append(records).then(
                () => void acknowledged.push(...records.map(({ key, value }) => ({ key, value: String(value) }))),
                (error: unknown) => expect(isPlatformError(error, 'LOG_UNAVAILABLE')).toBe(true),
              );
            }),
          );
          await sut.close();
          const values = cluster.stored.map(({ value }) => value);
          for (const { value } of acknowledged) expect(values).toContain(value);
          // Only a producer that took over may write again what its predecessor had written.
          if (cluster.producers === 1) expect(values).toHaveLength(new Set(values).size);
          for (const key of ['a', 'b', 'c', 'd']) {
            const firsts = [...new Set(cluster.stored.filter((each) => each.key === key).map(({ value }) => value))];
            const acked = new Set(acknowledged.filter((each) => each.key === key).map(({ value }) => value));
            const order = firsts.filter((value) => acked.has(value));
            expect(order).toEqual([...order].sort());
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('the partition of a key', () => {
  it('is that of the Java client, which the own default of @platformatic/kafka is not', () => {
    const message = { topic: 'topic', value: Buffer.alloc(0) };
    fc.assert(
      fc.property(
        fc.oneof(fc.uuid(), fc.string({ unit: 'binary', minLength: 1 })),
        fc.integer({ min: 1, max: 64 }),
        (key, count) => {
          const bytes = Buffer.from(key);
          expect(partitionOf(key, count)).toBe(compatibilityPartitioner(message, bytes) % count);
          expect(partitionOf(bytes, count)).toBe(partitionOf(key, count));
        },
      ),
    );
    // murmur2 of this key is negative: without its sign it lands elsewhere unless the count is a power of two.
    const key = '21';
    expect(defaultPartitioner(message, Buffer.from(key)) % 12).not.toBe(partitionOf(key, 12));
    expect(defaultPartitioner(message, Buffer.from(key)) % 16).toBe(partitionOf(key, 16));
  });
});
