import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { until } from '@centralita/testing-engines';
import type { Consumer, ConsumerConfig, ConsumerRunConfig, EachBatchPayload, Kafka } from 'kafkajs';
import { KafkaSubscription } from './subscription.js';

type KafkaError = new (message: string) => Error;
const { KafkaJSGroupCoordinatorNotFound, KafkaJSConnectionError } = createRequire(import.meta.url)('kafkajs/src/errors') as {
  KafkaJSGroupCoordinatorNotFound: KafkaError;
  KafkaJSConnectionError: KafkaError;
};
const away = (): Error => new KafkaJSGroupCoordinatorNotFound('Failed to find group coordinator');
const protocol = (code: number): Error => Object.assign(new Error('refused'), { name: 'KafkaJSProtocolError', code });

const event = {
  GROUP_JOIN: 'consumer.group_join',
  HEARTBEAT: 'consumer.heartbeat',
  FETCH: 'consumer.fetch',
  CRASH: 'consumer.crash',
} as const;

/** Behaves as kafkajs does at its surface: `run` resolves when the join has failed as well, and a crash has disconnected. */
class FakeConsumer {
  readonly events = event;
  readonly calls: string[] = [];
  readonly emitter = new EventEmitter();
  /** What happens to the next joins; afterwards they succeed. */
  readonly joins: (() => Promise<Error | null> | Error | null)[] = [];
  config: ConsumerConfig | null = null;
  handler: ConsumerRunConfig['eachBatch'];
  running = false;

  on(name: string, listener: (event: unknown) => void): void {
    this.emitter.on(name, listener);
  }
  async connect(): Promise<void> {
    this.calls.push('connect');
  }
  async subscribe(): Promise<void> {
    this.calls.push('subscribe');
  }
  async run({ eachBatch }: ConsumerRunConfig): Promise<void> {
    this.calls.push('run');
    this.handler = eachBatch;
    const failure = (await this.joins.shift()?.()) ?? null;
    if (failure) return this.crash(failure);
    this.running = true;
    this.emitter.emit(event.GROUP_JOIN, { payload: { memberAssignment: { topic: [0] } } });
  }
  async disconnect(): Promise<void> {
    this.calls.push('disconnect');
    this.running = false;
  }
  pause(): void {}
  resume(): void {}
  seek(): void {}
  async commitOffsets(): Promise<void> {}

  crash(error: Error): void {
    this.running = false;
    this.emitter.emit(event.CRASH, { payload: { error, groupId: 'group', restart: false } });
  }
  joined(): number {
    return this.calls.filter((call) => call === 'run').length;
  }
}

const start = async (joins: FakeConsumer['joins'] = []) => {
  const consumer = new FakeConsumer();
  consumer.joins.push(...joins);
  const [crashes, warned]: [Error[], string[]] = [[], []];
  const silent = (): void => undefined;
  const subscription = new KafkaSubscription({
    kafka: {
      consumer: (config: ConsumerConfig) => {
        consumer.config = config;
        // What a subscription calls of it is there; the rest of kafkajs is not.
        return consumer as unknown as Consumer;
      },
    } as unknown as Kafka,
    retry: { retries: 3 },
    boundsOf: async () => new Map([[0, { beginning: 0n, end: 0n }]]),
    logger: { debug: silent, info: silent, warn: (_, message) => void warned.push(message), error: silent },
    metrics: {},
    options: {
      groupId: 'group',
      topics: ['topic'],
      startAt: async () => new Map(),
      onBatch: async () => undefined,
      onCrash: (error) => void crashes.push(error),
    },
  });
  await subscription.start();
  return { consumer, subscription, crashes, warned };
};

describe(KafkaSubscription.name, () => {
  it('joins again, as often as it takes, when kafkajs has given up on a group whose coordinator is away', async () => {
    const { consumer, subscription, crashes } = await start();
    expect(subscription.assigned()).toHaveLength(1);
    consumer.joins.push(
      () => away(),
      () => new KafkaJSConnectionError('connect ECONNREFUSED'),
      () => new TypeError('a state that kafkajs has not thought of'),
    );
    consumer.crash(away());
    expect(subscription.assigned()).toEqual([]);
    await until(() => consumer.running);
    expect(consumer.joined()).toBe(5);
    expect(subscription.assigned()).toHaveLength(1);
    expect(crashes).toEqual([]);
    await subscription.close();
  });

  it('leaves the joining to nobody else: kafkajs would go on with it after a close', async () => {
    const { consumer, subscription } = await start();
    expect(await consumer.config?.retry?.restartOnFailure?.(away())).toBe(false);
    await subscription.close();
  });

  it('waits for the coordinator of a new cluster', async () => {
    const { subscription, crashes } = await start([() => away(), () => away()]);
    expect(subscription.assigned()).toHaveLength(1);
    expect(crashes).toEqual([]);
    await subscription.close();
  });

  it.each([
    ['authorisation of the group', protocol(30)],
    ['authorisation of a topic', protocol(29)],
    ['a position that is not on the log', protocol(1)],
  ])('ends for good without %s', async (_, error) => {
    const { consumer, crashes } = await start();
    consumer.crash(error);
    await until(() => crashes.length > 0);
    expect(crashes).toMatchObject([{ retryable: false }]);
    expect(consumer.joined()).toBe(1);
    // Also when a later try is told so.
    const later = await start();
    later.consumer.joins.push(() => error);
    later.consumer.crash(away());
    await until(() => later.crashes.length > 0);
    expect(later.consumer.joined()).toBe(2);
    expect(later.consumer.calls.at(-1)).toBe('disconnect');
    await expect(start([() => error])).rejects.toMatchObject({ retryable: false });
  });

  it('believes that a topic is gone when it is told so again and again, not when a broker comes back', async () => {
    const { consumer, subscription, crashes } = await start();
    consumer.joins.push(
      () => protocol(3),
      () => away(),
      () => protocol(3),
    );
    consumer.crash(away());
    await until(() => consumer.running);
    expect(crashes).toEqual([]);
    await subscription.close();
    const gone = await start();
    gone.consumer.joins.push(...Array.from({ length: 20 }, () => () => protocol(3)));
    gone.consumer.crash(away());
    await until(() => gone.crashes.length > 0, { timeoutMs: 15_000 });
    expect(gone.crashes).toMatchObject([{ code: 'TOPIC_UNKNOWN' }]);
  }, 20_000);

  it('ends for good with what only a fault of this process can throw', async () => {
    const { consumer, crashes } = await start();
    // What kafkajs never sends: its types must be passed by to make such a fault.
    await consumer.handler?.({ batch: null } as unknown as EachBatchPayload);
    await until(() => crashes.length > 0);
    expect(crashes[0]).toBeInstanceOf(TypeError);
    expect(consumer.joined()).toBe(1);
  });

  it('waits longer after each failure, and forgets them with the first fetch', async () => {
    const { consumer, subscription } = await start();
    for (let n = 0; n < 4; n += 1) {
      const before = performance.now();
      consumer.crash(away());
      await until(() => consumer.running);
      expect(performance.now() - before).toBeGreaterThanOrEqual(99 * 2 ** n);
    }
    consumer.emitter.emit(event.FETCH, { payload: {} });
    const before = performance.now();
    consumer.crash(away());
    await until(() => consumer.running);
    expect(performance.now() - before).toBeLessThan(1600);
    await subscription.close();
  });

  it('ends at once when it is closed while it waits to join again', async () => {
    const { consumer, subscription, crashes } = await start();
    consumer.joins.push(...Array.from({ length: 100 }, () => () => away()));
    consumer.crash(away());
    await until(() => consumer.joined() === 4);
    const before = performance.now();
    await subscription.close();
    expect(performance.now() - before).toBeLessThan(1000);
    // What is left of the wait is over as well, and nothing follows it.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(consumer.joined()).toBe(4);
    expect(crashes).toEqual([]);
  });

  it('ends at once when it is closed while it joins, and leaves when that join succeeds after all', async () => {
    const { consumer, subscription, crashes } = await start();
    const { promise, resolve } = Promise.withResolvers<null>();
    consumer.joins.push(() => promise);
    consumer.crash(away());
    await until(() => consumer.joined() === 2);
    await subscription.close();
    resolve(null);
    await until(() => consumer.calls.filter((call) => call === 'disconnect').length === 2);
    expect(consumer.running).toBe(false);
    expect(subscription.assigned()).toEqual([]);
    expect(crashes).toEqual([]);
  });
});
