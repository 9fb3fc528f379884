import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment, Position } from '../driver/assignment.js';
import { protocolCodeOf, toPlatformError } from '../driver/errors.js';
import { GroupMember, type MemberDeps } from '../driver/member.js';
import type { ClientOptions } from '../driver/options.js';
import { backoffMs } from '../failures.js';
import type { TopicPartition } from '../port.js';
import type { Directory } from './directory.js';
import { Membership } from './membership.js';
import { Puller } from './puller.js';
import { Wire } from './wire.js';

export type SubscriptionDeps = MemberDeps & { readonly directory: Directory; readonly client: ClientOptions };

const REQUEST_MS = 15_000;

/** ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID: the group has moved on, so join it again. */
const overtaken: ReadonlySet<number | undefined> = new Set([22, 25, 27, 82]);

/**
 * One member of a group. One loop does all that concerns the group, so the order is plain: beat while the partitions are ours; when the
 * group rebalances, begin no batch, let running ones finish, and only then join again, for from that moment on another member may own
 * what was ours.
 */
export class PlatformaticSubscription extends GroupMember {
  readonly #directory: Directory;
  readonly #joins: Wire;
  readonly #calls: Wire;
  readonly #fetches: Wire;
  readonly #membership: Membership;
  #puller: Puller | null = null;
  #beatAt = 0;
  #wake = (): void => undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(deps: SubscriptionDeps) {
    super(deps);
    const rebalanceMs = deps.options.rebalanceTimeoutMs ?? 60_000;
    this.#directory = deps.directory;
    // A join is answered when all members have come, or the time is over.
    this.#joins = new Wire(deps.client, rebalanceMs + REQUEST_MS);
    this.#calls = new Wire(deps.client, REQUEST_MS);
    this.#fetches = new Wire(deps.client, REQUEST_MS);
    this.#membership = new Membership(
      deps.directory,
      { joins: this.#joins, calls: this.#calls },
      {
        groupId: deps.options.groupId,
        topics: deps.options.topics,
        sessionMs: this.sessionMs,
        rebalanceMs,
      },
    );
  }

  async start(): Promise<void> {
    try {
      await this.#directory.refresh(this.options.topics);
      await this.#join();
    } catch (error) {
      await this.close();
      throw toPlatformError(error, 'cannot subscribe');
    }
    this.commitNowAndThen();
    this.#life = this.#live().catch((error: unknown) => this.fail(toPlatformError(error, 'consumer stopped')));
  }

  protected resume(positions: readonly Position[]): void {
    for (const position of positions) this.#puller?.resume(position);
    this.#puller?.pump();
  }

  protected hold(where: TopicPartition): void {
    this.#puller?.hold(where);
  }

  protected async commitOffsets(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void> {
    await this.#membership.commit(offsets);
  }

  protected async leave(): Promise<void> {
    this.#puller?.stop();
    this.#wake();
    try {
      await this.#membership.leave();
    } finally {
      // Ends a join that still waits.
      await Promise.all([this.#joins.close(), this.#calls.close(), this.#fetches.close()]);
      await this.#life;
    }
  }

  async #live(): Promise<void> {
    for (;;) {
      await this.#keep(this.assignment);
      if (this.ended) return;
      this.#puller?.stop();
      // After a revocation: two batches of one partition never run at the same time in one process.
      await Promise.all(this.running);
      this.assignment.revoke();
      await this.#join();
    }
  }

  /** Beats until the member has to join again, or has ended and nothing runs any more. */
  async #keep(assignment: Assignment): Promise<void> {
    let beatAt = performance.now() + this.heartbeatMs;
    while (!assignment.revoked) {
      if ((this.ended || assignment.rebalancing) && this.running.size === 0) return;
      await this.#sleep(beatAt - performance.now());
      if (performance.now() < beatAt) continue;
      beatAt = performance.now() + this.heartbeatMs;
      // Throws when the partitions were taken away, which the assignment knows as well.
      await assignment.heartbeat(() => this.#beat(assignment)).catch(() => undefined);
      if (assignment.isStale()) return;
    }
  }

  async #beat(assignment: Assignment): Promise<void> {
    const sent = (this.#beatAt = performance.now());
    await this.#membership.heartbeat();
    assignment.alive(sent);
    // With nothing to fetch (paused, or more members than partitions) this is the poll.
    if (this.running.size === 0 && !this.#puller?.fetching) this.pollAt = Date.now();
  }

  /** Tries for as long as another try may succeed. */
  async #join(): Promise<void> {
    const { groupId } = this.options;
    for (let attempt = 0; !this.ended; attempt++) {
      try {
        const partitions = await this.#membership.join();
        if (!this.ended) this.#assigned(partitions);
        return;
      } catch (error) {
        const passing = overtaken.has(protocolCodeOf(error)) || toPlatformError(error, 'join').retryable;
        if (this.ended) return;
        if (!passing) throw error;
        this.deps.logger.debug({ groupId, code: protocolCodeOf(error) ?? null }, 'group was not joined yet');
        await this.#sleep(backoffMs(attempt, 100, 1000));
      }
    }
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    const assignment = this.assign(partitions);
    const { maxWaitMs = 500, maxRecords = 500, concurrency = 4 } = this.options;
    // A handler may call it for every record.
    const isDue = () => performance.now() - this.#beatAt >= this.heartbeatMs;
    const beat = () => assignment.heartbeat(async () => (isDue() ? this.#beat(assignment) : undefined));
    this.#puller = new Puller({
      directory: this.#directory,
      wire: this.#fetches,
      maxWaitMs,
      maxRecords,
      concurrency,
      mayBegin: () => this.holds(assignment) && !assignment.rebalancing,
      apply: async (position, records, endOffset) => {
        const next = await this.track(this.apply(assignment, position, records, endOffset, beat));
        if (this.ended || assignment.rebalancing) this.#wake();
        return next !== null;
      },
      polled: () => void (this.pollAt = Date.now()),
      failed: (error) => this.fail(toPlatformError(error, 'consumer stopped')),
    });
    this.pollAt = Date.now();
    if (partitions.length > 0) void this.position(assignment, partitions);
  }

  /** Until `wake`, or the time is over. */
  async #sleep(milliseconds: number): Promise<void> {
    const controller = new AbortController();
    this.#wake = () => controller.abort();
    await sleep(Math.max(0, milliseconds), undefined, { signal: controller.signal }).catch(() => undefined);
  }
}
