import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PlatformError, typesOf, type CloudEvent, type EventType, type Topic } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import {
  Catch,
  Controller,
  Injectable,
  Module,
  UseInterceptors,
  type CallHandler,
  type INestApplicationContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { map, of, type Observable } from 'rxjs';
import { eventRecord, type BatchMiddleware, type EventBatch } from '../event-batch.js';
import { createMemoryLog, type MemoryLog } from '../memory-log.js';
import { partitionKey } from '../port.js';
import { OnEvents } from './on-events.js';
import { BatchContext, KafkaBatchStrategy } from './strategy.js';

const TENANTS = ['0190f0c4-7d1c-7000-8000-00000000000a', '0190f0c4-7d1c-7000-8000-00000000000b'];
const others = (topic: Topic, ...handled: EventType[]): EventType[] => typesOf(topic).filter((type) => !handled.includes(type));
const billing = { handles: ['period.closed.v1'], ignores: others('billing.events.v1', 'period.closed.v1') } as const;

/** What event-store's inbox does, without a database: offsets, tenant groups, one call each. */
const testMiddleware = () => {
  const stored = new Map<string, bigint>();
  const seen: { ignored: string[]; errors: unknown[] } = { ignored: [], errors: [] };
  const middleware: BatchMiddleware = async (batch, handle, ignored) => {
    seen.ignored = [...ignored];
    const events = batch.records.map((record) => ({
      event: JSON.parse(String(record.value)) as CloudEvent,
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      key: String(record.key),
    }));
    try {
      for (const [tenantId, own] of Map.groupBy(events, ({ event }) => event.tenantid))
        await handle({ tenantId, topic: batch.topic, partition: batch.partition, events: own, tx: 'tx' });
    } catch (error) {
      seen.errors.push(error);
      throw error;
    }
    stored.set(partitionKey(batch.topic, batch.partition), batch.lastOffset + 1n);
  };
  return { middleware, seen, startAt: async () => stored };
};

const publish = (log: MemoryLog, topic: Topic, key: string, ...events: [tenant: number, id: string][]): Promise<void> =>
  log.append(
    events.map(([tenant, id]) =>
      eventRecord({ topic, key, value: Buffer.from(JSON.stringify({ id, tenantid: TENANTS[tenant] })) }),
    ),
  );

const moduleOf = (...controllers: Type[]): Type => {
  @Module({ controllers })
  class TestModule {}
  return TestModule;
};

describe('the batch strategy', () => {
  const apps: INestApplicationContext[] = [];
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });

  const strategyFor = (log: MemoryLog) => {
    const crashes: Error[] = [];
    const { seen, ...middleware } = testMiddleware();
    const strategy = new KafkaBatchStrategy({
      log,
      groupId: randomUUID(),
      onCrash: (error) => void crashes.push(error),
      ...middleware,
    });
    return { strategy, crashes, seen };
  };
  const start = async (log: MemoryLog, ...controllers: Type[]) => {
    const sut = strategyFor(log);
    const app = await NestFactory.createMicroservice(moduleOf(...controllers), {
      strategy: sut.strategy,
      logger: false,
      abortOnError: false,
    });
    apps.push(app);
    await app.listen();
    return { ...sut, app };
  };

  it('calls the handler of a topic once per tenant, in offset order, with the transaction and the records', async () => {
    const calls: EventBatch[] = [];
    const contexts: BatchContext[] = [];
    @Controller()
    class Handler {
      @OnEvents('billing.events.v1', billing)
      async handle(@Payload() batch: EventBatch, @Ctx() context: BatchContext): Promise<void> {
        calls.push(batch);
        contexts.push(context);
      }
    }
    const log = createMemoryLog();
    await publish(log, 'billing.events.v1', 'k', [0, 'e1'], [1, 'e2'], [0, 'e3']);
    const { seen, strategy } = await start(log, Handler);
    await until(() => calls.length === 2);
    expect(calls.map(({ tenantId, events, tx }) => [tenantId, events.map(({ event }) => event.id), tx])).toEqual([
      [TENANTS[0], ['e1', 'e3'], 'tx'],
      [TENANTS[1], ['e2'], 'tx'],
    ]);
    expect(contexts[0]?.getBatch()?.records).toHaveLength(3);
    // and for a parked record, without a batch
    const [again] = [...strategy.handlers().values()];
    await again?.handle({ ...(calls[1] as EventBatch), tx: 'another' });
    expect([calls[2]?.tx, contexts[2]?.getBatch(), [...(again?.ignored ?? [])]]).toEqual(['another', null, billing.ignores]);
    expect(seen.ignored).toEqual(billing.ignores);
    expect(strategy.assigned()).toHaveLength(12);
    expect(strategy.lastPollAt()).toBeGreaterThan(Date.now() - 5000);
    expect(strategy.unwrap()).not.toBeNull();
  });

  @Injectable()
  class Wrapping implements NestInterceptor {
    intercept(_context: unknown, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(map((value: unknown) => value));
    }
  }
  @Catch()
  class Swallowing {
    catch(): Observable<string> {
      return of('swallowed');
    }
  }

  it.each(['pure', 'hybrid', 'hybrid that inherits'] as const)(
    'keeps the code of a PlatformError, so that what passes is tried again (%s)',
    async (kind) => {
      const applied: string[] = [];
      let failures = 2;
      @Controller()
      class Handler {
        @UseInterceptors(Wrapping)
        @OnEvents('billing.events.v1', billing)
        async handle(batch: EventBatch): Promise<void> {
          if (failures-- > 0) throw new PlatformError('DATABASE_UNAVAILABLE', 'passes');
          applied.push(...batch.events.map(({ event }) => event.id));
        }
      }
      const log = createMemoryLog();
      const { strategy, crashes, seen } = strategyFor(log);
      const module = moduleOf(Handler);
      if (kind === 'pure') {
        const app = await NestFactory.createMicroservice(module, { strategy, logger: false });
        apps.push(app);
        await app.listen();
      } else {
        const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
        apps.push(app);
        app.useGlobalFilters(new Swallowing());
        app.connectMicroservice({ strategy }, { inheritAppConfig: kind === 'hybrid that inherits' });
        await app.startAllMicroservices();
      }
      await publish(log, 'billing.events.v1', 'k', [0, 'e1']);
      await until(() => applied.length > 0);
      expect(applied).toEqual(['e1']);
      expect(seen.errors).toMatchObject([{ code: 'DATABASE_UNAVAILABLE' }, { code: 'DATABASE_UNAVAILABLE' }]);
      expect(crashes).toEqual([]);
    },
  );

  it('ends the subscription when a handler fails for good', async () => {
    @Controller()
    class Handler {
      @OnEvents('billing.events.v1', billing)
      async handle(): Promise<void> {
        throw new PlatformError('STORE_BEHIND_LOG', 'alarm');
      }
    }
    const log = createMemoryLog();
    const { crashes, strategy } = await start(log, Handler);
    const statuses: string[] = [];
    strategy.status.subscribe((status) => statuses.push(status));
    await publish(log, 'billing.events.v1', 'k', [0, 'e1']);
    await until(() => crashes.length > 0);
    expect(crashes).toMatchObject([{ code: 'STORE_BEHIND_LOG' }]);
    expect(statuses).toEqual(['connected', 'crashed']);
  });

  it('lets the running batch finish before it closes', async () => {
    let release = (): void => undefined;
    let done = false;
    let entered = false;
    @Controller()
    class Handler {
      @OnEvents('billing.events.v1', billing)
      async handle(): Promise<void> {
        entered = true;
        await new Promise<void>((resolve) => (release = resolve));
        done = true;
      }
    }
    const log = createMemoryLog();
    const { strategy } = await start(log, Handler);
    await publish(log, 'billing.events.v1', 'k', [0, 'e1']);
    await until(() => entered);
    const closing = strategy.close().then(() => expect(done).toBe(true));
    release();
    await closing;
    await strategy.close();
  });

  describe('fails to start', () => {
    const refused = (...complaints: string[]) => ({ code: 'CONFIGURATION_INVALID', details: { complaints } });

    it('with every type that nobody handles or ignores, that is foreign, or named twice', async () => {
      @Controller()
      class Handler {
        @OnEvents('billing.events.v1', {
          handles: ['period.closed.v1', 'usage.recorded.v1', 'task.queued.v1'],
          ignores: ['usage.recorded.v1'],
        })
        async handle(): Promise<void> {}
      }
      const missing = others('billing.events.v1', 'period.closed.v1', 'usage.recorded.v1');
      await expect(start(createMemoryLog(), Handler)).rejects.toMatchObject(
        refused(
          `billing.events.v1: neither handled nor ignored: ${missing.join(', ')}`,
          'billing.events.v1: not on this topic: task.queued.v1',
          'billing.events.v1: named more than once: usage.recorded.v1',
        ),
      );
    });

    it('with two handlers of one topic', async () => {
      @Controller()
      class One {
        @OnEvents('billing.events.v1', billing)
        async handle(): Promise<void> {}
      }
      @Controller()
      class Two {
        @OnEvents('billing.events.v1', billing)
        async handle(): Promise<void> {}
      }
      await expect(start(createMemoryLog(), One, Two)).rejects.toMatchObject(
        refused('billing.events.v1: has more than one handler'),
      );
    });

    it('with a handler that did not say what it ignores', async () => {
      @Controller()
      class Plain {
        @EventPattern('billing.events.v1')
        async handle(_batch: unknown): Promise<void> {}
      }
      @Controller()
      class Request {
        @MessagePattern('billing.events.v1')
        async handle(): Promise<void> {}
      }
      for (const controller of [Plain, Request])
        await expect(start(createMemoryLog(), controller)).rejects.toMatchObject(
          refused('billing.events.v1: only @OnEvents can handle what is on the log'),
        );
    });

    it('without the topic', async () => {
      @Controller()
      class Handler {
        @OnEvents('billing.events.v1', billing)
        async handle(): Promise<void> {}
      }
      await expect(start(createMemoryLog({ topics: [] }), Handler)).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
    });
  });

  it('starts without handlers, and has no events of its own', async () => {
    const { strategy } = await start(createMemoryLog());
    expect(strategy.lastPollAt()).toBeNull();
    expect(strategy.assigned()).toEqual([]);
    expect(() => strategy.on()).toThrow(PlatformError);
  });
});
