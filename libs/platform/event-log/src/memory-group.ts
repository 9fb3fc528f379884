import { PlatformError } from '@centralita/contracts';
import { asError, backoffMs, requireWithin, verdictOf } from './failures.js';
import {
  partitionKey,
  type RecordBatch,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
  type TopicPartition,
} from './port.js';

type RecordsOf = (topic: string, partition: number) => readonly StoredRecord[];

/** One consumer group of the log in memory: eager rebalances, as kafkajs does them. */
export class MemoryGroup {
  readonly #members = new Set<MemoryMember>();
  readonly #committed = new Map<string, bigint>();
  #rebalances: Promise<void> = Promise.resolve();

  constructor(
    private readonly recordsOf: RecordsOf,
    private readonly partitionsOf: (topic: string) => number,
  ) {}

  async join(options: SubscribeOptions): Promise<Subscription> {
    const member: MemoryMember = new MemoryMember(options, this.recordsOf, this.#committed, () => this.#leave(member));
    this.#members.add(member);
    await this.#rebalance();
    return member;
  }

  wake(): void {
    for (const member of this.#members) member.wake();
  }

  committed(topic: string): Map<number, bigint> {
    const partitions = Array.from({ length: this.partitionsOf(topic) }, (_, partition) => partition);
    return new Map(
      partitions.flatMap((partition): [number, bigint][] => {
        const offset = this.#committed.get(partitionKey(topic, partition));
        return offset === undefined ? [] : [[partition, offset]];
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.close()));
  }

  async #leave(member: MemoryMember): Promise<void> {
    if (this.#members.delete(member)) await this.#rebalance();
  }

  /** All members give up everything, then everything is dealt again. */
  #rebalance(): Promise<void> {
    this.#rebalances = this.#rebalances.then(async () => {
      const members = [...this.#members];
      await Promise.all(members.map((member) => member.revoke()));
      const assignments = new Map<MemoryMember, TopicPartition[]>(members.map((member) => [member, []]));
      for (const topic of [...new Set(members.flatMap((member) => member.options.topics))].sort()) {
        const interested = members.filter((member) => member.options.topics.includes(topic));
        for (let partition = 0; partition < this.partitionsOf(topic); partition++) {
          const owner = interested[partition % interested.length];
          if (owner) assignments.get(owner)?.push({ topic, partition });
        }
      }
      for (const [member, assignment] of assignments) member.assign(assignment);
    });
    return this.#rebalances;
  }
}

type Position = TopicPartition & { next: bigint; attempt: number; notBefore: number };

class MemoryMember implements Subscription {
  #generation = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #assignment: readonly TopicPartition[] = [];
  #lastPollAt = Date.now();
  #ended = false;
  #wakeUp = (): void => undefined;

  constructor(
    readonly options: SubscribeOptions,
    private readonly recordsOf: RecordsOf,
    private readonly committed: Map<string, bigint>,
    private readonly leave: () => Promise<void>,
  ) {}

  lastPollAt(): number {
    return this.#lastPollAt;
  }

  assigned(): readonly TopicPartition[] {
    return this.#assignment;
  }

  wake(): void {
    this.#wakeUp();
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.wake();
    await this.#loop;
    this.#assignment = [];
    await this.leave();
  }

  async revoke(): Promise<void> {
    this.#generation.abort(new PlatformError('STALE_EPOCH', 'the group rebalances'));
    this.wake();
    await this.#loop;
    this.#assignment = [];
  }

  assign(assignment: readonly TopicPartition[]): void {
    if (this.#ended) return;
    this.#generation = new AbortController();
    this.#assignment = assignment;
    this.#loop = this.#consume(this.#generation.signal).catch((error: unknown) => {
      this.#ended = true;
      this.#assignment = [];
      // Not awaited: leaving waits for this loop.
      void this.leave().then(() => this.options.onCrash(asError(error)));
    });
  }

  async #consume(generation: AbortSignal): Promise<void> {
    const positions = await this.#retrying(generation, () => this.#positions(this.#assignment));
    while (!generation.aborted && !this.#ended) {
      this.#lastPollAt = Date.now();
      // One moment for both questions, or what becomes due between them is waited for without a timer.
      const now = Date.now();
      const position = positions?.find((each) => each.notBefore <= now && this.#available(each) > 0n);
      if (!position) {
        const waits = positions?.map((each) => each.notBefore - now).filter((wait) => wait > 0) ?? [];
        await this.#sleep(waits.length > 0 ? Math.min(...waits) : undefined);
        continue;
      }
      await this.#handle(position, generation);
      // Round robin: whoever was served goes to the back.
      positions?.push(...positions.splice(positions.indexOf(position), 1));
    }
  }

  async #handle(position: Position, generation: AbortSignal): Promise<void> {
    const { topic, partition } = position;
    const batch = this.#batchOf(position, generation);
    try {
      await this.options.onBatch(batch);
      if (generation.aborted) return;
      Object.assign(position, { next: batch.lastOffset + 1n, attempt: 0, notBefore: 0 });
      this.committed.set(partitionKey(topic, partition), position.next);
    } catch (error) {
      if (generation.aborted) return;
      if (verdictOf(error) === 'crash') throw error;
      position.notBefore = Date.now() + backoffMs(position.attempt++, 1, 100);
      const [asked] = (await this.#retrying(generation, () => this.#positions([{ topic, partition }]))) ?? [];
      if (asked) position.next = asked.next;
    }
  }

  #available(position: Position): bigint {
    return BigInt(this.recordsOf(position.topic, position.partition).length) - position.next;
  }

  #batchOf({ topic, partition, next }: Position, generation: AbortSignal): RecordBatch {
    const all = this.recordsOf(topic, partition);
    const records = all.slice(Number(next), Number(next) + (this.options.maxRecords ?? 500));
    return {
      topic,
      partition,
      records,
      firstOffset: next,
      lastOffset: next + BigInt(records.length) - 1n,
      endOffset: BigInt(all.length),
      signal: generation,
      isStale: () => generation.aborted,
      heartbeat: async () => {
        if (generation.aborted) throw new PlatformError('STALE_EPOCH', `partition ${topic}:${partition} was taken away`);
      },
    };
  }

  async #positions(partitions: readonly TopicPartition[]): Promise<Position[]> {
    if (partitions.length === 0) return [];
    const stored = await this.options.startAt(partitions);
    return partitions.map(({ topic, partition }) => {
      const next = stored.get(partitionKey(topic, partition)) ?? 0n;
      requireWithin({ topic, partition }, next, 0n, BigInt(this.recordsOf(topic, partition).length));
      return { topic, partition, next, attempt: 0, notBefore: 0 };
    });
  }

  /** Until it succeeds, fails for good, or the partitions are gone (undefined). */
  async #retrying<T>(generation: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; !generation.aborted && !this.#ended; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (verdictOf(error) === 'crash') throw error;
        await this.#sleep(backoffMs(attempt, 1, 100));
      }
    }
    return undefined;
  }

  #sleep(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
