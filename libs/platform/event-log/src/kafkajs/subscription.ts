import type { Consumer, EachBatchPayload, Kafka, RetryOptions } from 'kafkajs';
import type { Assignment, Position } from '../driver/assignment.js';
import { toPlatformError } from '../driver/errors.js';
import { GroupMember, type MemberDeps } from '../driver/member.js';
import { asError } from '../failures.js';
import type { StoredRecord, TopicPartition } from '../port.js';
import { waitForCoordinator } from './coordinator.js';
import { storedRecord } from './records.js';

export type SubscriptionDeps = MemberDeps & { readonly kafka: Kafka; readonly retry: RetryOptions };

/** One member of a group. Everything that was assigned is paused before the first fetch, and resumed where the stored offset is. */
export class KafkaSubscription extends GroupMember {
  readonly #kafka: Kafka;
  readonly #consumer: Consumer;

  constructor(deps: SubscriptionDeps) {
    super(deps);
    this.#kafka = deps.kafka;
    this.#consumer = deps.kafka.consumer({
      groupId: deps.options.groupId,
      sessionTimeout: this.sessionMs,
      rebalanceTimeout: deps.options.rebalanceTimeoutMs ?? 60_000,
      heartbeatInterval: this.heartbeatMs,
      maxWaitTimeInMs: deps.options.maxWaitMs ?? 500,
      allowAutoTopicCreation: false,
      retry: deps.retry,
    });
  }

  async start(): Promise<void> {
    const consumer = this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    consumer.on(consumer.events.HEARTBEAT, () => this.assignment.alive());
    consumer.on(consumer.events.FETCH, () => void (this.pollAt = Date.now()));
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#crashed(payload.error, payload.restart));
    try {
      await waitForCoordinator(this.#kafka, this.options.groupId);
      await consumer.connect();
      // Only for a partition whose offset nobody has sought, which cannot happen: twice is better than never.
      await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.options.concurrency ?? 4,
        eachBatch: (payload) => this.track(this.#eachBatch(payload)),
      });
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
    await this.#consumer.disconnect();
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

  #crashed(error: Error, restart: boolean): void {
    this.assignment.revoke();
    // With `restart` kafkajs joins again by itself, and liveness watches lastPollAt.
    if (restart) this.deps.logger.warn({ groupId: this.options.groupId, name: asError(error).name }, 'consumer restarts');
    else this.fail(toPlatformError(error, 'consumer stopped'));
  }
}

const byTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    partitions: all.map(({ partition }) => partition),
  }));
