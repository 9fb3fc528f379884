import { createRequire } from 'node:module';
import { describe, expect, it, jest } from '@jest/globals';
import kafkajs, { logLevel } from 'kafkajs';
import { logCreator, openClient } from './client.js';
import { openCluster, repairKafkajs, requireKnownVersion } from './internals.js';
import { decodeMetadataResponse, encodeMetadataRequest } from './topic-ids.js';

const load = createRequire(import.meta.url);
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

type RequestQueue = {
  pending: unknown[];
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  push(request: object): void;
  checkPendingRequests(): void;
  maybeThrottle(milliseconds: number): void;
  fulfillRequest(response: object): void;
  destroy(): void;
};

const queue = (): RequestQueue => {
  const Queue = load('kafkajs/src/network/requestQueue') as new (options: object) => RequestQueue;
  return new Queue({
    maxInFlightRequests: 1,
    requestTimeout: 1000,
    clientId: 'c',
    broker: 'b',
    logger: { debug: () => undefined },
  });
};

const request = (correlationId: number, sent: number[]) => ({
  entry: { correlationId, resolve: () => undefined, reject: () => undefined },
  expectResponse: true,
  sendRequest: () => void sent.push(correlationId),
});

describe('the repairs of kafkajs', () => {
  it('are made for one release only', () => {
    expect(() => requireKnownVersion('2.2.5')).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }));
    expect(() => requireKnownVersion('2.2.4')).not.toThrow();
    expect((load('kafkajs/package.json') as { version: string }).version).toBe('2.2.4');
  });

  it('leave an idle client without a timer', () => {
    repairKafkajs();
    const sut = queue();
    sut.checkPendingRequests();
    expect(sut.throttleCheckTimeoutId).toBeNull();
    const sent: number[] = [];
    sut.push(request(1, sent));
    expect(sut.throttleCheckTimeoutId).toBeNull();
    expect(sent).toEqual([1]);
  });

  it('still send what had to wait, in flight or throttled', () => {
    repairKafkajs();
    jest.useFakeTimers();
    const sut = queue();
    const sent: number[] = [];
    sut.push(request(1, sent));
    sut.push(request(2, sent));
    expect(sent).toEqual([1]);
    sut.fulfillRequest({ correlationId: 1, payload: null, size: 0 });
    expect(sent).toEqual([1, 2]);
    sut.maybeThrottle(500);
    sut.push(request(3, sent));
    sut.fulfillRequest({ correlationId: 2, payload: null, size: 0 });
    jest.advanceTimersByTime(499);
    expect(sent).toEqual([1, 2]);
    jest.advanceTimersByTime(20);
    expect(sent).toEqual([1, 2, 3]);
    sut.destroy();
    jest.useRealTimers();
  });

  it('make a lost position an error that kafkajs does not retry, once no stale leader can be the reason', async () => {
    repairKafkajs();
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const { prototype } = load('kafkajs/src/consumer/consumerGroup') as {
      prototype: { recoverFromOffsetOutOfRange(this: object, lost: object): Promise<void> };
    };
    const retry = load('kafkajs/src/retry') as (options: object) => (work: () => Promise<void>) => Promise<void>;
    let refreshed = 0;
    const group = { cluster: { refreshMetadata: async () => void refreshed++ } };
    let attempts = 0;
    const lost = () =>
      retry({ initialRetryTime: 1 })(async () => {
        attempts++;
        await prototype.recoverFromOffsetOutOfRange.call(group, { topic: 't', partition: 3 });
      });
    await lost();
    now = 9_000;
    await lost();
    now = 30_000; // long ago: another incident
    await lost();
    now = 39_000;
    await lost();
    expect(refreshed).toBe(4);
    now = 41_000;
    attempts = 0;
    await expect(lost()).rejects.toMatchObject({ retriable: false, cause: { code: 1, topic: 't', partition: 3 } });
    expect(attempts).toBe(1);
    jest.restoreAllMocks();
  });

  it('find the cluster behind a client', () => {
    const kafka = openClient({ brokers: ['127.0.0.1:1'], clientId: 'c', logger: silent });
    expect(openCluster(kafka).findBroker).toBeInstanceOf(Function);
  });
});

describe('the log of the client', () => {
  it('reaches ours at debug when it passes, at warn otherwise, never higher', () => {
    const lines: string[] = [];
    const logger = {
      ...silent,
      debug: () => void lines.push('debug'),
      warn: () => void lines.push('warn'),
      error: () => void lines.push('error'),
    };
    const log = logCreator(logger)();
    const entry = (level: logLevel, message: string, error?: string) =>
      log({ namespace: 'n', label: 'l', level, log: { timestamp: '', message, ...(error !== undefined && { error }) } });
    entry(logLevel.ERROR, 'The coordinator is loading and hence can not process requests');
    entry(logLevel.ERROR, 'Response Heartbeat', 'The group is rebalancing, so a rejoin is needed');
    entry(logLevel.ERROR, 'Connection error: connect ECONNREFUSED');
    entry(logLevel.INFO, 'Consumer has joined the group');
    entry(logLevel.ERROR, 'something else');
    expect(lines).toEqual(['debug', 'debug', 'debug', 'debug', 'warn']);
  });
});

describe('topic ids', () => {
  const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const text = (value: string) => Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)]);
  const response = (error: number, name: string, tags = Buffer.from([0])) =>
    Buffer.concat([
      tags, // header
      Buffer.alloc(4),
      Buffer.from([2]), // one broker
      Buffer.from([0, 0, 0, 1]),
      text('localhost'),
      Buffer.from([0, 0, 0x23, 0x84]),
      Buffer.from([0]), // no rack
      tags,
      text('cluster'),
      Buffer.alloc(4),
      Buffer.from([2]), // one topic
      Buffer.from([0, error]),
      text(name),
      id,
      Buffer.from([0]),
      Buffer.from([2]), // one partition
      Buffer.alloc(14),
      Buffer.from([3, 0, 0, 0, 1, 0, 0, 0, 2]),
      Buffer.from([1]),
      Buffer.from([0]),
      tags,
      Buffer.alloc(4),
      tags,
      tags,
    ]);

  it('are read past brokers, partitions and unknown tags', () => {
    expect(decodeMetadataResponse(response(0, 'topic'))).toEqual(new Map([['topic', '00112233-4455-6677-8899-aabbccddeeff']]));
    const tagged = Buffer.from([1, 7, 2, 9, 9]);
    expect(decodeMetadataResponse(response(0, 'topic', tagged)).size).toBe(1);
    expect(() => decodeMetadataResponse(response(3, 'gone'))).toThrow(expect.objectContaining({ code: 'TOPIC_UNKNOWN' }));
    expect(() => decodeMetadataResponse(response(0, 'topic').subarray(0, 30))).toThrow(RangeError);
  });

  it('are asked for by name, however long', () => {
    const long = 'x'.repeat(200);
    const bytes = encodeMetadataRequest(['a', long]);
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0, 3]));
    expect(
      bytes.includes(
        Buffer.concat([Buffer.from([201 & 0x7f, 0x01].map((byte, at) => (at === 0 ? byte | 0x80 : byte))), Buffer.from(long)]),
      ),
    ).toBe(true);
  });
});

// The default export is what the driver imports; a change of its shape would show only at run time.
it('kafkajs exports what the driver uses', () => {
  expect(kafkajs.Partitioners.DefaultPartitioner).toBeInstanceOf(Function);
  expect(kafkajs.CompressionTypes.GZIP).toBe(1);
});
