import { createRequire } from 'node:module';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { repairKafkajs } from './internals.js';
import { encodeProduce, isPlain, type ProduceRequest } from './produce-request.js';

const load = createRequire(import.meta.url);
const theirs = load('kafkajs/src/protocol/requests/produce/v7/request') as (request: ProduceRequest) => {
  encode(): Promise<{ buffer: Buffer }>;
};

const bytes = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array)),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 90 }),
  fc.uint8Array({ maxLength: 90 }).map((array) => Buffer.from(array)),
);
const message = fc.record(
  { key: bytes, value: bytes, headers: fc.dictionary(fc.string({ maxLength: 80 }), text, { maxKeys: 3 }) },
  { requiredKeys: ['value'] },
);
const partition = fc.record({
  partition: fc.nat({ max: 47 }),
  firstSequence: fc.nat({ max: 2 ** 31 - 1 }),
  messages: fc.array(message, { minLength: 1, maxLength: 70 }),
});
const topic = fc.record({
  topic: fc.stringMatching(/^[a-z.]{1,20}$/),
  partitions: fc.array(partition, { minLength: 1, maxLength: 3 }),
});
const plain = fc.record({
  acks: fc.constant(-1),
  timeout: fc.nat({ max: 100_000 }),
  producerId: fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String),
  producerEpoch: fc.nat({ max: 32_000 }),
  topicData: fc.array(topic, { minLength: 1, maxLength: 2 }),
});

describe('a produce request', () => {
  it('is byte for byte the one of kafkajs', async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_795_433_739_792);
    await fc.assert(
      fc.asyncProperty(plain, async (request) => {
        const expected = (await theirs(request).encode()).buffer;
        expect(encodeProduce(request, 1_795_433_739_792).equals(expected)).toBe(true);
      }),
      { numRuns: 60 },
    );
    now.mockRestore();
  });

  it('is left to kafkajs where it holds more than a ledger writes', () => {
    const request = (message: object, more: object = {}): ProduceRequest => ({
      acks: -1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: null, ...message }] }] }],
      ...more,
    });
    expect(isPlain(request({ headers: { once: 'x', bytes: Buffer.from('x') } }))).toBe(true);
    expect(isPlain(request({}, { transactionalId: null, compression: 0 }))).toBe(true);
    expect(isPlain(request({ headers: { twice: ['x', 'y'] } }))).toBe(false);
    expect(isPlain(request({ timestamp: '1' }))).toBe(false);
    expect(isPlain(request({}, { transactionalId: 'me' }))).toBe(false);
    expect(isPlain(request({}, { compression: 1 }))).toBe(false);
  });

  it('is the one that kafkajs sends once it is repaired', async () => {
    repairKafkajs();
    repairKafkajs();
    type Protocol = (request: object) => { request: { apiVersion: number; encode(): Promise<{ buffer: Buffer }> } };
    const produce = load('kafkajs/src/protocol/requests/produce') as { protocol(of: { version: number }): Protocol };
    const options = {
      acks: -1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v' }] }] }],
    };
    const now = jest.spyOn(Date, 'now').mockReturnValue(7);
    const made = produce.protocol({ version: 7 })(options).request;
    expect(made.apiVersion).toBe(7);
    expect((await made.encode()).buffer).toEqual(encodeProduce(options, 7));
    const zipped = produce.protocol({ version: 7 })({ ...options, compression: 1 }).request;
    expect((await zipped.encode()).buffer).not.toEqual(encodeProduce(options, 7));
    now.mockRestore();
  });
});
