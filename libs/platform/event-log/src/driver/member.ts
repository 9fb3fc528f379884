import { setTimeout as sleep } from 'node:timers/promises';
import { isPlatformError } from '@centralita/contracts';
import { asError, backoffMs, requireWithin, verdictOf } from '../failures.js';
import {
  partitionKey,
  type LogLogger,
  type LogMetrics,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
  type TopicPartition,
} from '../port.js';
import { Assignment, type Position } from './assignment.js';

export type MemberDeps = {
  readonly boundsOf: (topic: string) => Promise<ReadonlyMap<number, { beginning: bigint; end: bigint }>>;
  readonly logger: LogLogger;
  readonly metrics: LogMetrics;
  readonly options: SubscribeOptions;
};

/** Offsets are committed for lag tools alone, so seldom. */
const COMMIT_MS = 5000;
/** Attempts to find the stored offset on the log, about 6 s in all. */
const SURE_AFTER = 6;
/** A broker that does not answer must not hold up a shutdown. */
const LAST_COMMIT_MS = 2000;
/** With the last commit within the 10 s that a drain gives to consumers, also while the log is away. */
const LEAVE_MS = 5000;

/**
 * What a member of a group does whatever client it uses. The order of things at an assignment: 1. nothing of what was assigned is read;
 * 2. ask `startAt`; 3. check that the log holds those offsets; 4. read from there. Nothing is ever read from where the broker thinks that
 * the group is.
 */
export abstract class GroupMember implements Subscription {
  protected readonly deps: MemberDeps;
  protected readonly options: SubscribeOptions;
  protected readonly sessionMs: number;
  protected readonly running = new Set<Promise<unknown>>();
  protected assignment: Assignment;
  protected pollAt = Date.now();
  readonly #uncommitted = new Map<string, TopicPartition & { offset: bigint }>();
  #commitTimer: NodeJS.Timeout | null = null;
  #ended: Promise<void> | null = null;

  constructor(deps: MemberDeps) {
    this.deps = deps;
    this.options = deps.options;
    this.sessionMs = deps.options.sessionTimeoutMs ?? 30_000;
    this.assignment = new Assignment([], this.sessionMs);
  }

  /** Reads these partitions from here on; what was fetched of them before no longer counts. */
  protected abstract resume(positions: readonly Position[]): void;
  /** Reads nothing of a partition until it is resumed. */
  protected abstract hold(where: TopicPartition): void;
  protected abstract commitOffsets(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void>;
  /** Gives the partitions back and disconnects. */
  protected abstract leave(): Promise<void>;

  lastPollAt(): number {
    return this.pollAt;
  }

  assigned(): readonly TopicPartition[] {
    return this.assignment.revoked ? [] : this.assignment.partitions;
  }

  close(): Promise<void> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  protected get ended(): boolean {
    return this.#ended !== null;
  }

  protected get heartbeatMs(): number {
    return Math.min(3000, Math.floor(this.sessionMs / 5));
  }

  protected commitNowAndThen(): void {
    if (this.#ended) return;
    this.#commitTimer = setInterval(() => void this.#commit(), COMMIT_MS).unref();
  }

  /** Ends by itself; whatever is running sees its signal abort, nothing of it counts any more. */
  protected fail(error: unknown): void {
    if (this.#ended) return;
    this.assignment.revoke();
    this.#ended = this.#stop();
    const failure = isPlatformError(error) ? error : asError(error);
    // Not awaited: the caller may be a batch that stopping waits for.
    void this.#ended.then(() => this.options.onCrash(failure));
  }

  protected track<T>(work: Promise<T>): Promise<T> {
    this.running.add(work);
    return work.finally(() => this.running.delete(work));
  }

  /** A new generation: nothing of the last one counts. */
  protected assign(partitions: readonly TopicPartition[]): Assignment {
    this.assignment.revoke();
    this.assignment = new Assignment(partitions, this.sessionMs);
    this.#uncommitted.clear();
    this.deps.metrics.rebalanced?.({ groupId: this.options.groupId, partitions: partitions.length });
    return this.assignment;
  }

  /** Seeks to the stored offsets and resumes, trying for as long as the failure may pass and the partitions are ours. */
  protected async position(assignment: Assignment, partitions: readonly TopicPartition[]): Promise<void> {
    for (let attempt = 0; this.holds(assignment); attempt++) {
      try {
        const stored = await this.options.startAt(partitions);
        const topics = [...new Set(partitions.map(({ topic }) => topic))];
        const bounds = new Map(await Promise.all(topics.map(async (topic) => [topic, await this.deps.boundsOf(topic)] as const)));
        if (!this.holds(assignment)) return;
        const positions = partitions.map((where) => {
          const found = bounds.get(where.topic)?.get(where.partition);
          const next = stored.get(partitionKey(where.topic, where.partition)) ?? found?.beginning ?? 0n;
          requireWithin(where, next, found?.beginning, found?.end);
          return assignment.position(where, next);
        });
        this.resume(positions);
        return;
      } catch (error) {
        // A broker that does not know yet that it leads no more can be behind what was read: be sure before the alarm.
        const unsure = isPlatformError(error, 'OFFSET_OUT_OF_RANGE') && attempt < SURE_AFTER;
        if (verdictOf(error) === 'crash' && !unsure) return this.fail(error);
        this.deps.logger.warn({ groupId: this.options.groupId, code: codeOf(error) }, 'start offsets are not available');
        await this.pause(assignment, attempt);
      }
    }
  }

  /** Hands one batch over. Gives the next offset, or null when this partition must not go on now. */
  protected async apply(
    assignment: Assignment,
    position: Position,
    records: readonly StoredRecord[],
    endOffset: bigint,
    heartbeat: () => Promise<void>,
  ): Promise<bigint | null> {
    const { groupId } = this.options;
    const { topic, partition } = position;
    const started = performance.now();
    try {
      const batch = assignment.batch(position, records, endOffset, heartbeat);
      await this.options.onBatch(batch);
      if (assignment.revoked) return null;
      position.next = batch.lastOffset + 1n;
      position.attempt = 0;
      this.#uncommitted.set(partitionKey(topic, partition), { topic, partition, offset: position.next });
      const seconds = (performance.now() - started) / 1000;
      const lag = endOffset - position.next;
      this.deps.metrics.consumed?.({ groupId, topic, partition, records: records.length, lag, seconds });
      return position.next;
    } catch (error) {
      if (assignment.isStale())
        this.deps.logger.info({ groupId, topic, partition, code: codeOf(error) }, 'stale batch was refused');
      else if (verdictOf(error) === 'crash') this.fail(error);
      else this.#retryLater(assignment, position, codeOf(error));
      return null;
    }
  }

  protected holds(assignment: Assignment): boolean {
    return !this.#ended && !assignment.revoked;
  }

  protected async pause(assignment: Assignment, attempt: number): Promise<void> {
    await sleep(backoffMs(attempt), undefined, { signal: assignment.signal, ref: false }).catch(() => undefined);
  }

  async #stop(): Promise<void> {
    // 1. No new batch begins (whoever begins one asks whether we hold), 2. running ones finish, 3. what they did is committed for lag
    // tools, 4. the group gets the partitions back. A failure at 3 costs nothing, at 4 the session has to expire.
    await Promise.all(this.running);
    this.assignment.revoke();
    if (this.#commitTimer) clearInterval(this.#commitTimer);
    await Promise.race([this.#commit(), sleep(LAST_COMMIT_MS, undefined, { ref: false })]);
    const left = this.leave().catch((error: unknown) => {
      this.deps.logger.warn({ groupId: this.options.groupId, failure: asError(error).name }, 'consumer did not disconnect');
    });
    await Promise.race([left, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  /** Pauses one partition; the others go on. */
  #retryLater(assignment: Assignment, position: Position, code: string): void {
    const { topic, partition } = position;
    const { groupId } = this.options;
    this.deps.logger.warn({ groupId, topic, partition, code, attempt: position.attempt }, 'batch will be tried again');
    this.deps.metrics.retried?.({ groupId, topic, partition, code });
    this.hold({ topic, partition });
    void this.pause(assignment, position.attempt++).then(() => this.position(assignment, [{ topic, partition }]));
  }

  async #commit(): Promise<void> {
    if (this.#uncommitted.size === 0) return;
    const offsets = [...this.#uncommitted.values()];
    this.#uncommitted.clear();
    try {
      await this.commitOffsets(offsets);
    } catch (error) {
      this.deps.logger.debug({ groupId: this.options.groupId, failure: asError(error).name }, 'offsets were not committed');
    }
  }
}

const codeOf = (error: unknown): string => (isPlatformError(error) ? error.code : asError(error).name);
