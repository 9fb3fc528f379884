import { describe, expect, it } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError } from '@platformatic/kafka';
import fc from 'fast-check';
import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
  type ProducerBatch,
  type RecordMetadata,
} from 'kafkajs';
import { createMemoryLog } from '../memory-log.js';
import { partitionOf } from '../partitioner.js';
import type { LogRecord } from '../port.js';
import { producerOf } from '../kafkajs/producer.js';
import { Appender, type AppenderOptions, type Producer } from './appender.js';
import { toPlatformError } from './errors.js';

const PARTITIONS = 3;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const protocolError = (code: number): Error =>
  new KafkaJSProtocolError({ code, type: `CODE_${code}`, message: 'x', retriable: false } as unknown as Error);
/** As kafkajs wraps what it will not retry. */
const caused = (cause: Error): Error => Object.assign(new KafkaJSNonRetriableError('send'), { cause });

type Fault = 'none' | 'refused' | 'answer lost' | 'partition forgotten' | 'tail lost' | 'tail back' | number;

/**
 * A broker with idempotence as Kafka has it, and producers with kafkajs's handling of sequence numbers: a failed request gives
 * its numbers back, stored or not. Faults are taken one per request.
 */
class FakeCluster {
  readonly stored: { partition: number; key: string; value: string }[] = [];
  readonly batches: string[][] = [];
  producers = 0;
  underWay = 0;
  /** How many records of each partition an older copy of its disk does not have. */
  lost = 0;

  constructor(private readonly faults: Fault[] = []) {}

  readonly createProducer = (): Producer => {
    this.producers++;
    const sequences = new Map<number, number>();
    const seen = new Set<string>();
    const producer = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      sendBatch: async (batch: ProducerBatch) => {
        expect(++this.underWay).toBe(1);
        await Promise.resolve();
        this.underWay--;
        return this.#receive(batch, sequences, seen);
      },
    };
    return producerOf(producer, 'none');
  };

  #receive({ topicMessages = [] }: ProducerBatch, sequences: Map<number, number>, seen: Set<string>): RecordMetadata[] {
    const fault = this.faults.shift() ?? 'none';
    const messages = topicMessages.flatMap((topic) => topic.messages);
    this.batches.push(messages.map(({ value }) => String(value)));
    if (typeof fault === 'number') throw caused(protocolError(fault));
    if (fault === 'tail lost') this.lost = 2;
    if (fault === 'tail back') this.lost = 0;
    if (fault === 'refused') throw new KafkaJSConnectionError('refused', {});
    const byPartition = Map.groupBy(messages, ({ partition }) => partition ?? -1);
    const forgotten = fault === 'partition forgotten' ? [...byPartition.keys()][0] : undefined;
    const answered: RecordMetadata[] = [];
    for (const [partition, own] of byPartition) {
      if (partition === forgotten) continue;
      const sequence = sequences.get(partition) ?? 0;
      const identity = `${partition}/${sequence}/${own.length}`;
      // The broker knows a request by its numbers alone.
      const baseOffset = String(this.stored.filter((one) => one.partition === partition).length - this.lost);
      if (!seen.has(identity))
        for (const { key, value } of own) this.stored.push({ partition, key: String(key), value: String(value) });
      seen.add(identity);
      if (fault !== 'answer lost') sequences.set(partition, sequence + own.length);
      answered.push({ topicName: 'topic', partition, errorCode: 0, baseOffset });
    }
    if (fault === 'answer lost') throw new KafkaJSConnectionError('closed', {});
    return answered;
  }
}

const appenderOver = (cluster: FakeCluster, more: Partial<AppenderOptions> = {}): Appender =>
  new Appender({
    createProducer: cluster.createProducer,
    limitsOf: async () => ({ partitions: PARTITIONS, maxRecordBytes: 1000 }),
    logger: silent,
    metrics: {},
    ...more,
  });

const record = (key: string | null, value: string): LogRecord => ({ topic: 'topic', key, value: Buffer.from(value) });

describe('appending to a log that has lost its tail', () => {
  it('acknowledges nothing there, and goes on when the right log is back', async () => {
    const cluster = new FakeCluster(['none', 'none', 'tail lost', 'none', 'tail back']);
    const sut = appenderOver(cluster);
    for (const value of ['a', 'b']) await sut.append([record('k', value)]);
    for (const value of ['c', 'd'])
      await expect(sut.append([record('k', value)])).rejects.toMatchObject({ code: 'LOG_BEHIND_STORE' });
    await sut.append([record('k', 'e')]);
  });
});

describe('appending through a producer that forgets', () => {
  it.each([45, 46, 47, 59, 90])('builds a new producer and sends again after code %i', async (code) => {
    const cluster = new FakeCluster([code]);
    const replaced: string[] = [];
    const sut = appenderOver(cluster, { metrics: { producerReplaced: ({ reason }) => void replaced.push(reason) } });
    await sut.append([record('k', 'a')]);
    expect(cluster.stored.map(({ value }) => value)).toEqual(['a']);
    expect(cluster.producers).toBe(2);
    expect(replaced).toEqual(['producer lost']);
  });

  it('gives up when every producer is lost, and recovers with the next append', async () => {
    const cluster = new FakeCluster([45, 45, 45, 45]);
    const sut = appenderOver(cluster);
    await expect(sut.append([record('k', 'a')])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true });
    await sut.append([record('k', 'b')]);
    expect(cluster.stored.map(({ value }) => value)).toEqual(['b']);
  });

  it('does not take an answer that lacks a partition for an acknowledgement', async () => {
    const cluster = new FakeCluster(['partition forgotten']);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    await appenderOver(cluster).append(keys.map((key) => record(key, key)));
    expect(cluster.stored.map(({ value }) => value).sort()).toEqual(keys);
    expect(cluster.producers).toBe(2);
  });

  it('replaces a producer long before its sequence numbers wrap', async () => {
    const cluster = new FakeCluster();
    const sut = appenderOver(cluster, { replaceAfter: 3 });
    for (const value of ['1', '2', '3', '4', '5', '6', '7']) await sut.append([record('k', value)]);
    expect(cluster.producers).toBe(3);
    expect(cluster.stored).toHaveLength(7);
  });
});

describe('appending', () => {
  it('never acknowledges what is not stored, and keeps the order of each key, whatever fails when', async () => {
    const fault = fc.oneof(
      { weight: 4, arbitrary: fc.constant<Fault>('none') },
      fc.constantFrom<Fault>('refused', 'answer lost', 'partition forgotten', 45, 59),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 30 }),
        fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', null), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        async (faults, appends, waits) => {
          const cluster = new FakeCluster(faults);
          const sut = appenderOver(cluster);
          const acknowledged: { key: string | null; value: string }[] = [];
          const running: Promise<void>[] = [];
          for (const [index, keys] of appends.entries()) {
            const records = keys.map((key, n) => record(key, `${String(index).padStart(2, '0')}.${n}`));
            const append = sut.append(records).then(
              () => void acknowledged.push(...records.map(({ key, value }) => ({ key, value: String(value) }))),
              (error: unknown) => expect(isPlatformError(error, 'LOG_UNAVAILABLE')).toBe(true),
            );
            running.push(append);
            if (waits[index]) await append;
          }
          await Promise.all(running);
          await sut.close();
          const values = new Set(cluster.stored.map(({ value }) => value));
          for (const { value } of acknowledged) expect(values).toContain(value);
          for (const key of ['a', 'b', 'c', 'd']) {
            const own = cluster.stored.filter((each) => each.key === key);
            const firsts = [...new Set(own.map(({ value }) => value))];
            const acked = new Set(acknowledged.filter((each) => each.key === key).map(({ value }) => value));
            // What was refused may be stored too, anywhere; what was acknowledged stands in order.
            const inOrder = firsts.filter((value) => acked.has(value));
            expect(inOrder).toEqual([...inOrder].sort());
            for (const { partition } of own) expect(partition).toBe(partitionOf(key, PARTITIONS));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('lets appends that wait share the next request, in their order', async () => {
    const cluster = new FakeCluster();
    const sut = appenderOver(cluster);
    await Promise.all(['1', '2', '3', '4'].map((value) => sut.append([record('k', value)])));
    expect(cluster.batches.flat()).toEqual(['1', '2', '3', '4']);
    expect(cluster.batches.length).toBeLessThan(4);
  });

  it('refuses an oversize record alone, and maps the refusal of a broker', async () => {
    const cluster = new FakeCluster();
    const sut = appenderOver(cluster);
    const [huge, fine] = await Promise.allSettled([sut.append([record('k', 'x'.repeat(2000))]), sut.append([record('k', 'b')])]);
    expect(huge).toMatchObject({ status: 'rejected', reason: { code: 'RECORD_TOO_LARGE', retryable: false } });
    expect(fine.status).toBe('fulfilled');
    const strict = appenderOver(new FakeCluster([10]));
    await expect(strict.append([record('k', 'a')])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', retryable: false });
  });

  it('reports every request and refuses after close', async () => {
    const samples: boolean[] = [];
    const sut = appenderOver(new FakeCluster(['refused']), { metrics: { appended: ({ ok }) => void samples.push(ok) } });
    await expect(sut.append([record('k', 'a')])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    const last = sut.append([record('k', 'b')]);
    await sut.close();
    await last;
    expect(samples).toEqual([false, true]);
    await expect(sut.append([record('k', 'c')])).rejects.toMatchObject({ code: 'DRAINING' });
  });

  it('resolves at once for nothing', async () => {
    const cluster = new FakeCluster();
    await appenderOver(cluster).append([]);
    await createMemoryLog().append([]);
    expect(cluster.producers).toBe(0);
  });
});

describe('the errors of the driver', () => {
  it('finds the code wherever kafkajs has hidden it, and never repeats a foreign message', () => {
    const hidden = caused(protocolError(3));
    expect(toPlatformError(hidden, 'append failed')).toMatchObject({ code: 'TOPIC_UNKNOWN', details: { protocolCode: 3 } });
    const several = Object.assign(new Error('several'), { errors: [protocolError(38)] });
    expect(toPlatformError(several, 'cannot create')).toMatchObject({ code: 'CONFIGURATION_INVALID', retryable: false });
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
    const unavailable = toPlatformError(refused, 'append failed');
    expect(unavailable).toMatchObject({ code: 'LOG_UNAVAILABLE', details: { errno: 'ECONNREFUSED' } });
    expect(unavailable.message).not.toContain('10.0.0.1');
    expect(toPlatformError('nonsense', 'append failed').code).toBe('LOG_UNAVAILABLE');
    expect(toPlatformError(protocolError(29), 'append failed')).toMatchObject({
      code: 'CONFIGURATION_INVALID',
      retryable: false,
    });
    expect(toPlatformError(unavailable, 'again')).toBe(unavailable);
  });

  it('finds it in the errors of @platformatic/kafka too, the newest of several tries', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
    const tries = new MultipleErrors('produce failed 2 times.', [
      new NetworkError('Connection failed.', { cause: refused }),
      new ProtocolError(10),
    ]);
    expect(toPlatformError(tries, 'append failed')).toMatchObject({
      code: 'RECORD_TOO_LARGE',
      details: { failure: 'PLT_KFK_MULTIPLE', protocolCode: 10, errno: 'ECONNREFUSED' },
    });
    expect(toPlatformError(new ProtocolError(19), 'append failed')).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      details: { failure: 'NOT_ENOUGH_REPLICAS' },
    });
  });

  it('knows a refused name or password as what it is, in both clients', () => {
    // Its declared type leaves the message out, without which it cannot be made.
    const kafkajsRefusal = Reflect.construct(KafkaJSSASLAuthenticationError, ['nobody']) as Error;
    const refusal = new NetworkError('Connection failed.', { cause: new AuthenticationError('nobody') });
    for (const error of [kafkajsRefusal, new MultipleErrors('Cannot connect to any broker.', [refusal])])
      expect(toPlatformError(error, 'connect')).toMatchObject({ code: 'CONFIGURATION_INVALID', retryable: false });
  });
});
