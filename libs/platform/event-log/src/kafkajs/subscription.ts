import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, RetryOptions } from 'kafkajs';
import type { Assignment, Position } from '../driver/assignment.js';
import { toPlatformError } from '../driver/errors.js';
import { GroupMember, type MemberDeps } from '../driver/member.js';
import { backoffMs } from '../failures.js';
import type { StoredRecord, TopicPartition } from '../port.js';
import { storedRecord } from './records.js';

export type SubscriptionDeps = MemberDeps & { readonly kafka: Kafka; readonly retry: RetryOptions };

/** A broker that has just come back may not know a topic yet: answers in a row that it is not there, before that is believed. */
const SURE_AFTER = 6;

/** One member of a group. Everything that was assigned is paused before the first fetch, and resumed where the stored offset is. */
export class KafkaSubscription extends GroupMember {
  readonly #consumer: Consumer;
  readonly #left = new AbortController();
  /** Failures since the last fetch, and those of them that said last of all that a topic is not there. */
  #failures = 0;
  #unknown = 0;
  #joinFailed: ((error: Error) => void) | null = null;

  constructor(deps: SubscriptionDeps) {
    super(deps);
    this.#consumer = deps.kafka.consumer({
      groupId: deps.options.groupId,
      sessionTimeout: this.sessionMs,
      rebalanceTimeout: deps.options.rebalanceTimeoutMs ?? 60_000,
      heartbeatInterval: this.heartbeatMs,
      maxWaitTimeInMs: deps.options.maxWaitMs ?? 500,
      allowAutoTopicCreation: false,
      // Its restarts know no end: one that is under way while the consumer is closed would join, and join again, behind our back.
      retry: { ...deps.retry, restartOnFailure: async () => false },
    });
  }

  async start(): Promise<void> {
    const consumer = this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    consumer.on(consumer.events.HEARTBEAT, () => this.assignment.alive());
    consumer.on(consumer.events.FETCH, () => this.#polled());
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#crashed(payload.error));
    try {
      await this.#join();
    } catch (error) {
      await this.close();
      throw toPlatformError(error, 'cannot subscribe');
    }
    this.commitNowAndThen();
  }

  protected resume(positions: readonly Position[]): void {
    for (const { topic, partition, next } of positions) this.#consumer.seek({ topic, partition, offset: next.toString() });
    this.#consumer.resume(byTopic(positions));
  }

  protected hold(where: TopicPartition): void {
    this.#consumer.pause(byTopic([where]));
  }

  protected async commitOffsets(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void> {
    await this.#consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: each.offset.toString() })));
  }

  protected async leave(): Promise<void> {
    this.#left.abort();
    await this.#consumer.disconnect();
  }

  /** Tries for as long as another try may succeed: whoever gives up and starts anew is one more member that the group waits for. */
  async #join(): Promise<void> {
    while (!this.ended)
      try {
        return await this.#tryToJoin();
      } catch (error) {
        await this.#waitOut(error);
      }
  }

  async #tryToJoin(): Promise<void> {
    const consumer = this.#consumer;
    const failed: Error[] = [];
    this.#joinFailed = (error) => void failed.push(error);
    try {
      await consumer.connect();
      // Only for a partition whose offset nobody has sought, which cannot happen: twice is better than never.
      await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
      // Resolves also when the group was not joined: then it has crashed.
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.options.concurrency ?? 4,
        eachBatch: (payload) => this.track(this.#eachBatch(payload)).catch((error: unknown) => this.fail(error)),
      });
      if (failed[0]) throw failed[0];
    } finally {
      this.#joinFailed = null;
      // kafkajs does not hear of a disconnect while it joins: nobody else would make it leave.
      if (this.ended) await consumer.disconnect().catch(() => undefined);
    }
  }

  /** Throws what does not pass by itself; otherwise waits, longer each time, until it may be tried again or the member leaves. */
  async #waitOut(error: unknown): Promise<void> {
    const failure = toPlatformError(error, 'consumer stopped');
    this.#unknown = failure.code === 'TOPIC_UNKNOWN' ? this.#unknown + 1 : 0;
    const unsure = this.#unknown > 0 && this.#unknown < SURE_AFTER;
    if (!failure.retryable && !unsure) throw failure;
    const attempt = this.#failures++;
    this.deps.logger.warn({ groupId: this.options.groupId, attempt, ...failure.details }, 'consumer will join again');
    await sleep(backoffMs(attempt), undefined, { signal: this.#left.signal }).catch(() => undefined);
  }

  /** Synchronous up to the pause: kafkajs fetches as soon as this returns. */
  #joined(memberAssignment: Record<string, number[]>): void {
    if (this.ended) return this.assignment.revoke();
    const partitions = Object.entries(memberAssignment).flatMap(([topic, all]) => all.map((partition) => ({ topic, partition })));
    const assignment = this.assign(partitions);
    this.#consumer.pause(byTopic(partitions));
    if (partitions.length > 0) void this.position(assignment, partitions);
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages, highWatermark } = payload.batch;
    const assignment = this.assignment;
    const position = assignment.positionOf({ topic, partition });
    if (!position) return;
    const records = messages
      .filter(({ offset }) => BigInt(offset) >= position.next)
      .map((message) => storedRecord(topic, partition, message));
    const most = this.options.maxRecords ?? 500;
    for (let from = 0; from < records.length; from += most) {
      if (!this.holds(assignment) || assignment.rebalancing || !payload.isRunning()) return;
      const chunk = records.slice(from, from + most);
      const next = await this.#beating(assignment, position, chunk, BigInt(highWatermark), payload);
      if (next === null) return;
      payload.resolveOffset((next - 1n).toString());
    }
  }

  /** Applies a batch. Handlers may take longer than a session, and kafkajs beats between batches only: nobody has to remember to. */
  async #beating(
    assignment: Assignment,
    position: Position,
    records: readonly StoredRecord[],
    endOffset: bigint,
    payload: EachBatchPayload,
  ): Promise<bigint | null> {
    const beat = () => assignment.heartbeat(() => payload.heartbeat());
    const heart = setInterval(() => void beat().catch(() => undefined), this.heartbeatMs);
    try {
      return await this.apply(assignment, position, records, endOffset, beat);
    } finally {
      clearInterval(heart);
    }
  }

  #polled(): void {
    this.pollAt = Date.now();
    this.#failures = 0;
    this.#unknown = 0;
  }

  /** kafkajs has stopped and disconnected, whatever it thinks of the error: it gives up on a group whose coordinator is away. */
  #crashed(error: Error): void {
    this.assignment.revoke();
    if (this.#joinFailed) this.#joinFailed(error);
    else void this.#joinAgain(error);
  }

  /** An outage of the log ends no process, however long it is: readiness watches lastPollAt. */
  async #joinAgain(crash: Error): Promise<void> {
    if (this.ended) return;
    try {
      await this.#waitOut(crash);
      // Two batches of one partition never run at the same time in one process.
      await Promise.all(this.running);
      await this.#join();
    } catch (error) {
      this.fail(toPlatformError(error, 'consumer stopped'));
    }
  }
}

const byTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    partitions: all.map(({ partition }) => partition),
  }));
