import { PlatformError, type Topic } from '@centralita/contracts';
import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { asError } from '../failures.js';
import type { BatchMiddleware, EventBatch, TopicHandler } from '../event-batch.js';
import type { EventLog, RecordBatch, SubscribeOptions, Subscription, TopicPartition } from '../port.js';
import { tracedBatch } from '../tracing.js';
import { complaintsAbout, optionsOf, refuse } from './on-events.js';

export type KafkaBatchStrategyOptions = Pick<
  SubscribeOptions,
  'groupId' | 'startAt' | 'onCrash' | 'maxRecords' | 'concurrency' | 'sessionTimeoutMs'
> & {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly middleware: BatchMiddleware;
};

/** What handlers, guards and interceptors may ask beside the events: the records as they came, null for a parked record on its own. */
export class BatchContext extends BaseRpcContext<[RecordBatch | null]> {
  getBatch(): RecordBatch | null {
    return this.args[0];
  }
}

type Topics = Map<string, { handler: MessageHandler; ignored: ReadonlySet<string> }>;

/**
 * Nest transport over the log: handlers are controller methods with `@OnEvents`, called with a batch inside the middleware's
 * transaction. Nest's pipes, guards and interceptors apply to each call; its own Kafka server knows neither batches nor a topic
 * without a handler (it logs, and loses the record).
 *
 * `const app = await NestFactory.createMicroservice(Module, { strategy })`, or `app.connectMicroservice({ strategy }, {
 * inheritAppConfig: true })` beside HTTP. The log belongs to the caller and is not closed here.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('centralita.event-log');
  /** Errors go to the subscription, which retries or ends by their code. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: KafkaBatchStrategyOptions;
  #subscription: Subscription | null = null;

  constructor(options: KafkaBatchStrategyOptions) {
    super();
    this.#options = options;
  }

  /** Refuses a second handler of a topic: Nest would start both unawaited in one transaction. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const topic = this.normalizePattern(pattern as string);
    if (!isEventHandler || !optionsOf(extras)) refuse([`${topic}: only @OnEvents can handle what is on the log`]);
    if (this.getHandlers().has(topic)) refuse([`${topic}: has more than one handler`]);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  /** Checks all handlers, then subscribes to their topics. Start fails with everything that is wrong at once. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const topics = this.#topics();
      if (topics.size > 0) await this.#subscribe(topics);
    } catch (error) {
      return callback(error);
    }
    this._status$.next('connected');
    callback();
  }

  /** Lets running batches finish and leaves the group. Safe to call again. */
  async close(): Promise<void> {
    await this.#subscription?.close();
    this._status$.next('disconnected');
  }

  /** The subscription, or null before `listen` and when there is no handler. */
  unwrap<T = Subscription | null>(): T {
    return this.#subscription as T;
  }

  on(): never {
    throw new PlatformError('INTERNAL', 'the log has no events of its own: use status and the callbacks of the options');
  }

  /** Milliseconds since the epoch of the last poll, for liveness; null when nothing is subscribed. */
  lastPollAt(): number | null {
    return this.#subscription?.lastPollAt() ?? null;
  }

  assigned(): readonly TopicPartition[] {
    return this.#subscription?.assigned() ?? [];
  }

  /** The handlers of all topics, from when Nest has bound them, also without a subscription: parked records are applied by these. */
  handlers(): ReadonlyMap<string, TopicHandler> {
    return new Map(
      [...this.#topics()].map(([topic, { handler, ignored }]) => [
        topic,
        { ignored, handle: (events: EventBatch) => this.#handle(handler, events, null) },
      ]),
    );
  }

  #topics(): Topics {
    const complaints: string[] = [];
    const topics: Topics = new Map();
    for (const [topic, handler] of this.getHandlers()) {
      const options = optionsOf(handler.extras);
      if (!options) continue;
      complaints.push(...complaintsAbout(topic as Topic, options));
      topics.set(topic, { handler, ignored: new Set(options.ignores) });
    }
    refuse(complaints);
    return topics;
  }

  async #subscribe(topics: Topics): Promise<void> {
    const { log, groupId, middleware, onCrash, startAt, maxRecords, concurrency, sessionTimeoutMs } = this.#options;
    this.#subscription = await log.subscribe({
      groupId,
      topics: [...topics.keys()],
      startAt,
      ...(maxRecords !== undefined && { maxRecords }),
      ...(concurrency !== undefined && { concurrency }),
      ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
      onBatch: async (batch) => {
        const topic = topics.get(batch.topic);
        if (!topic) throw new PlatformError('INTERNAL', `no handler for topic ${batch.topic}`);
        await tracedBatch(batch, groupId, () =>
          middleware(batch, (events) => this.#handle(topic.handler, events, batch), topic.ignored),
        );
      },
      onCrash: (error) => {
        this._status$.next('crashed');
        onCrash(asError(error));
      },
    });
  }

  async #handle(handler: MessageHandler, events: EventBatch, batch: RecordBatch | null): Promise<void> {
    const context = new BatchContext([batch]);
    return this.runWithProcessingHooks(context, async (end) => {
      const result: unknown = await handler(events, context);
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      end();
    });
  }
}
