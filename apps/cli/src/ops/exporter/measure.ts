import { Topics, type Topic } from '@centralita/contracts';
import { topicSpecs, type EventLog, type LogAdmin } from '@centralita/event-log';
import type { Metrics } from '@centralita/platform-nest';
import { groupTopics } from './groups.js';

export type Position = {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the record that the group applies next, as it has told the brokers. */
  readonly next: bigint;
  readonly end: bigint;
};
export type Difference = { readonly topic: string; readonly setting: string };

/** What a topic must keep, whoever made it. How many replicas it has is for its owner. */
const KEPT = ['cleanup.policy', 'retention.ms', 'retention.bytes'] as const;

/** Settings in which topics are not what they must be. All have the same number of partitions, chosen at installation. */
export const topicDifferences = async (admin: Pick<LogAdmin, 'describeTopics'>): Promise<Difference[]> => {
  const found = new Map((await admin.describeTopics(Topics)).map((topic) => [topic.name, topic]));
  const counts = [...found.values()].map(({ partitions }) => partitions).sort((left, right) => left - right);
  // Whoever stands alone is wrong, not the others.
  const usual = counts[Math.floor(counts.length / 2)];
  return topicSpecs.flatMap(({ name, config }) => {
    const topic = found.get(name);
    if (!topic) return [{ topic: name, setting: 'missing' }];
    return [
      ...(topic.partitions === usual ? [] : [{ topic: name, setting: 'partitions' }]),
      ...KEPT.filter((setting) => topic.config[setting] !== config?.[setting]).map((setting) => ({ topic: name, setting })),
    ];
  });
};

type Bounds = { readonly beginnings: ReadonlyMap<number, bigint>; readonly ends: ReadonlyMap<number, bigint> };

const NOTHING: Bounds = { beginnings: new Map(), ends: new Map() };

/**
 * Positions of all groups, from what they commit to the brokers while they run. They keep the truth in their databases and never start
 * from there; it is at most some seconds older, and it can be read without anybody's database and without the consumer.
 */
export const positionsOf = async (admin: LogAdmin): Promise<ReadonlyMap<string, readonly Position[]>> => {
  const topics = [...new Set(Object.values(groupTopics).flat())];
  const bounds = new Map<Topic, Bounds>(
    await Promise.all(
      topics.map(async (topic): Promise<[Topic, Bounds]> => {
        const [beginnings, ends] = await Promise.all([admin.beginningOffsets(topic), admin.endOffsets(topic)]);
        return [topic, { beginnings, ends }];
      }),
    ),
  );
  const ofTopic = async (group: string, topic: Topic): Promise<Position[]> => {
    const committed = await admin.committedOffsets(group, topic);
    const { beginnings, ends } = bounds.get(topic) ?? NOTHING;
    return [...ends].map(([partition, end]) => {
      const next = committed.get(partition) ?? beginnings.get(partition) ?? 0n;
      // Asked at the same time as the ends: what was committed in between lies beyond the end that was seen.
      return { topic, partition, next: next > end ? end : next, end };
    });
  };
  return new Map(
    await Promise.all(
      Object.entries(groupTopics).map(async ([group, read]): Promise<[string, Position[]]> => [
        group,
        (await Promise.all(read.map((topic) => ofTopic(group, topic)))).flat(),
      ]),
    ),
  );
};

type Clock = { seconds(lags: readonly Position[], now: number): number };
type Progress = { readonly clock: Clock; applied: bigint; since: number };

/** Lag of every group, as metrics. One object for as long as the process lives: ages are counted from what was seen before. */
export class LagMeter {
  readonly #progress = new Map<string, Progress>();

  constructor(
    private readonly metrics: Metrics,
    private readonly clock: () => Clock,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async measure(log: Pick<EventLog, 'admin'>): Promise<void> {
    const now = this.now();
    for (const [group, positions] of await positionsOf(log.admin)) {
      const sum = (of: (position: Position) => bigint): bigint => positions.reduce((total, each) => total + of(each), 0n);
      const [behind, applied, end] = [
        sum(({ next, end: last }) => last - next),
        sum(({ next }) => next),
        sum((each) => each.end),
      ];
      const known = this.#progress.get(group) ?? { clock: this.clock(), applied, since: now };
      if (applied !== known.applied) Object.assign(known, { applied, since: now });
      this.#progress.set(group, known);
      for (const { topic, partition, next, end: last } of positions)
        this.metrics.consumerLag.set({ group, topic, partition: String(partition) }, Number(last - next));
      this.metrics.projectionLagEvents.set({ group }, Number(behind));
      this.metrics.projectionLagSeconds.set({ group }, known.clock.seconds(positions, now));
      this.metrics.lastCommitAge.set({ group }, (now - known.since) / 1000);
      this.metrics.replayProgress.set({ group }, end === 0n ? 1 : Number(applied) / Number(end));
    }
  }
}
