import { setTimeout as sleep } from 'node:timers/promises';
import { isPlatformError } from '@centralita/contracts';
import type { Consumer, EachBatchPayload, Kafka, RetryOptions } from 'kafkajs';
import { Assignment, type Position } from '../driver/assignment.js';
import { toPlatformError } from '../driver/errors.js';
import { asError, backoffMs, requireWithin, verdictOf } from '../failures.js';
import {
  partitionKey,
  type LogLogger,
  type LogMetrics,
  type SubscribeOptions,
  type Subscription,
  type TopicPartition,
} from '../port.js';
import { waitForCoordinator } from './coordinator.js';
import { storedRecord } from './records.js';

export type SubscriptionDeps = {
  readonly kafka: Kafka;
  readonly boundsOf: (topic: string) => Promise<ReadonlyMap<number, { beginning: bigint; end: bigint }>>;
  readonly logger: LogLogger;
  readonly metrics: LogMetrics;
  readonly retry: RetryOptions;
  readonly options: SubscribeOptions;
};

/** Offsets are committed for lag tools alone, so seldom. */
const COMMIT_MS = 5000;
/** Attempts to find the stored offset on the log, about 6 s in all. */
const SURE_AFTER = 6;
/** A broker that does not answer must not hold up a shutdown. */
const LAST_COMMIT_MS = 2000;
const LEAVE_MS = 10_000;

/**
 * One member of a group. The order of things at an assignment: 1. pause everything that was assigned, before the first fetch;
 * 2. ask `startAt`; 3. check that the log holds those offsets; 4. seek; 5. resume. Nothing is ever read from where the broker
 * thinks that the group is.
 */
export class KafkaSubscription implements Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #options: SubscribeOptions;
  readonly #consumer: Consumer;
  readonly #sessionMs: number;
  readonly #running = new Set<Promise<void>>();
  readonly #uncommitted = new Map<string, TopicPartition & { offset: string }>();
  #assignment: Assignment;
  #lastPollAt = Date.now();
  #commitTimer: NodeJS.Timeout | null = null;
  #ended: Promise<void> | null = null;

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
    this.#options = deps.options;
    this.#sessionMs = deps.options.sessionTimeoutMs ?? 30_000;
    this.#assignment = new Assignment([], this.#sessionMs);
    this.#consumer = deps.kafka.consumer({
      groupId: deps.options.groupId,
      sessionTimeout: this.#sessionMs,
      rebalanceTimeout: deps.options.rebalanceTimeoutMs ?? 60_000,
      heartbeatInterval: this.#heartbeatMs,
      maxWaitTimeInMs: deps.options.maxWaitMs ?? 500,
      allowAutoTopicCreation: false,
      retry: deps.retry,
    });
  }

  async start(): Promise<void> {
    const consumer = this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#assigned(payload.memberAssignment));
    consumer.on(consumer.events.HEARTBEAT, () => this.#assignment.alive());
    consumer.on(consumer.events.FETCH, () => void (this.#lastPollAt = Date.now()));
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#crashed(payload.error, payload.restart));
    try {
      await waitForCoordinator(this.#deps.kafka, this.#options.groupId);
      await consumer.connect();
      // Only for a partition whose offset nobody has sought, which cannot happen: twice is better than never.
      await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.#options.concurrency ?? 4,
        eachBatch: (payload) => this.#track(this.#eachBatch(payload)),
      });
    } catch (error) {
      await this.close();
      throw toPlatformError(error, 'cannot subscribe');
    }
    this.#commitTimer = setInterval(() => void this.#commit(), COMMIT_MS).unref();
  }

  lastPollAt(): number {
    return this.#lastPollAt;
  }

  assigned(): readonly TopicPartition[] {
    return this.#assignment.revoked ? [] : this.#assignment.partitions;
  }

  close(): Promise<void> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  get #heartbeatMs(): number {
    return Math.min(3000, Math.floor(this.#sessionMs / 5));
  }

  async #stop(): Promise<void> {
    // 1. No new batch begins (every loop asks #ended), 2. running ones finish, 3. what they did is committed for lag tools,
    // 4. the group gets the partitions back. A failure at 3 costs nothing, at 4 the session has to expire.
    await Promise.all(this.#running);
    this.#assignment.revoke();
    if (this.#commitTimer) clearInterval(this.#commitTimer);
    await Promise.race([this.#commit(), sleep(LAST_COMMIT_MS, undefined, { ref: false })]);
    const disconnected = this.#consumer.disconnect().catch((error: unknown) => {
      this.#deps.logger.warn({ groupId: this.#options.groupId, name: asError(error).name }, 'consumer did not disconnect');
    });
    await Promise.race([disconnected, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  /** Ends by itself; whatever is running sees its signal abort, nothing of it counts any more. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#assignment.revoke();
    this.#ended = this.#stop();
    const failure = isPlatformError(error) ? error : asError(error);
    // Not awaited: the caller may be a batch that stopping waits for.
    void this.#ended.then(() => this.#options.onCrash(failure));
  }

  #track(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Synchronous up to the pause: kafkajs fetches as soon as this returns. */
  #assigned(memberAssignment: Record<string, number[]>): void {
    this.#assignment.revoke();
    if (this.#ended) return;
    const partitions = Object.entries(memberAssignment).flatMap(([topic, all]) => all.map((partition) => ({ topic, partition })));
    const assignment = (this.#assignment = new Assignment(partitions, this.#sessionMs));
    this.#uncommitted.clear();
    this.#consumer.pause(byTopic(partitions));
    this.#deps.metrics.rebalanced?.({ groupId: this.#options.groupId, partitions: partitions.length });
    if (partitions.length > 0) void this.#position(assignment, partitions);
  }

  /** Seeks to the stored offsets and resumes, trying for as long as the failure may pass and the partitions are ours. */
  async #position(assignment: Assignment, partitions: readonly TopicPartition[]): Promise<void> {
    for (let attempt = 0; this.#holds(assignment); attempt++) {
      try {
        const stored = await this.#options.startAt(partitions);
        const topics = [...new Set(partitions.map(({ topic }) => topic))];
        const bounds = new Map(
          await Promise.all(topics.map(async (topic) => [topic, await this.#deps.boundsOf(topic)] as const)),
        );
        if (!this.#holds(assignment)) return;
        for (const where of partitions) {
          const found = bounds.get(where.topic)?.get(where.partition);
          const next = stored.get(partitionKey(where.topic, where.partition)) ?? found?.beginning ?? 0n;
          requireWithin(where, next, found?.beginning, found?.end);
          assignment.position(where, next);
          this.#consumer.seek({ ...where, offset: next.toString() });
        }
        this.#consumer.resume(byTopic(partitions));
        return;
      } catch (error) {
        // A broker that does not know yet that it leads no more can be behind what was read: be sure before the alarm.
        const unsure = isPlatformError(error, 'OFFSET_OUT_OF_RANGE') && attempt < SURE_AFTER;
        if (verdictOf(error) === 'crash' && !unsure) return this.#fail(error);
        this.#deps.logger.warn({ groupId: this.#options.groupId, code: codeOf(error) }, 'start offsets are not available');
        await this.#pause(assignment, attempt);
      }
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages, highWatermark } = payload.batch;
    const assignment = this.#assignment;
    const position = assignment.positionOf({ topic, partition });
    if (!position) return;
    const records = messages
      .filter(({ offset }) => BigInt(offset) >= position.next)
      .map((message) => storedRecord(topic, partition, message));
    const most = this.#options.maxRecords ?? 500;
    for (let from = 0; from < records.length; from += most) {
      if (!this.#holds(assignment) || assignment.rebalancing || !payload.isRunning()) return;
      const chunk = records.slice(from, from + most);
      const next = await this.#apply(assignment, position, chunk, BigInt(highWatermark), payload);
      if (next === null) return;
      payload.resolveOffset((next - 1n).toString());
    }
  }

  /** Hands one batch over. Gives the next offset, or null when this partition must not go on now. */
  async #apply(
    assignment: Assignment,
    position: Position,
    records: Parameters<Assignment['batch']>[1],
    endOffset: bigint,
    payload: EachBatchPayload,
  ): Promise<bigint | null> {
    const { groupId } = this.#options;
    const { topic, partition } = position;
    const started = performance.now();
    const beat = () => assignment.heartbeat(() => payload.heartbeat());
    // Handlers may take longer than a session: nobody has to remember to beat.
    const heart = setInterval(() => void beat().catch(() => undefined), this.#heartbeatMs);
    try {
      const batch = assignment.batch(position, records, endOffset, beat);
      await this.#options.onBatch(batch);
      if (assignment.revoked) return null;
      position.next = batch.lastOffset + 1n;
      position.attempt = 0;
      this.#uncommitted.set(partitionKey(topic, partition), { topic, partition, offset: position.next.toString() });
      const seconds = (performance.now() - started) / 1000;
      this.#deps.metrics.consumed?.({
        groupId,
        topic,
        partition,
        records: records.length,
        lag: endOffset - position.next,
        seconds,
      });
      return position.next;
    } catch (error) {
      if (assignment.isStale())
        this.#deps.logger.info({ groupId, topic, partition, code: codeOf(error) }, 'stale batch was refused');
      else if (verdictOf(error) === 'crash') this.#fail(error);
      else this.#retryLater(assignment, position, codeOf(error));
      return null;
    } finally {
      clearInterval(heart);
    }
  }

  /** Pauses one partition; the others go on. */
  #retryLater(assignment: Assignment, position: Position, code: string): void {
    const { topic, partition } = position;
    const { groupId } = this.#options;
    this.#deps.logger.warn({ groupId, topic, partition, code, attempt: position.attempt }, 'batch will be tried again');
    this.#deps.metrics.retried?.({ groupId, topic, partition, code });
    this.#consumer.pause([{ topic, partitions: [partition] }]);
    void this.#pause(assignment, position.attempt++).then(() => this.#position(assignment, [{ topic, partition }]));
  }

  #crashed(error: Error, restart: boolean): void {
    this.#assignment.revoke();
    // With `restart` kafkajs joins again by itself, and liveness watches lastPollAt.
    if (restart) this.#deps.logger.warn({ groupId: this.#options.groupId, name: error.name }, 'consumer restarts');
    else this.#fail(toPlatformError(error, 'consumer stopped'));
  }

  async #commit(): Promise<void> {
    if (this.#uncommitted.size === 0) return;
    const offsets = [...this.#uncommitted.values()];
    this.#uncommitted.clear();
    try {
      await this.#consumer.commitOffsets(offsets);
    } catch (error) {
      this.#deps.logger.debug({ groupId: this.#options.groupId, name: asError(error).name }, 'offsets were not committed');
    }
  }

  #holds(assignment: Assignment): boolean {
    return !this.#ended && !assignment.revoked;
  }

  async #pause(assignment: Assignment, attempt: number): Promise<void> {
    await sleep(backoffMs(attempt), undefined, { signal: assignment.signal, ref: false }).catch(() => undefined);
  }
}

const codeOf = (error: unknown): string => (isPlatformError(error) ? error.code : asError(error).name);

const byTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    partitions: all.map(({ partition }) => partition),
  }));
