import type { EventLog } from '@centralita/event-log';
import { consumerLag, parkedState, type Database, type Lag } from '@centralita/event-store';
import type { Metrics } from '../metrics.js';

type Seen = { readonly at: number; readonly end: bigint };
/** Ends that are remembered per partition; beyond, every second one is forgotten, so what is very late is known less exactly. */
const REMEMBERED = 256;

/**
 * How old the oldest record is that a group has not applied. A record tells the time of its append only to who reads it, so the ends of
 * partitions are remembered with the time at which they were seen: what lies below an end is at least that old. After a start it
 * counts from there.
 */
export class LagClock {
  readonly #seen = new Map<string, Seen[]>();

  /** Seconds; 0 when everything is applied. `now` is monotonic, in milliseconds. */
  seconds(lags: readonly Pick<Lag, 'topic' | 'partition' | 'next' | 'end'>[], now: number): number {
    const oldest = lags.map(({ topic, partition, next, end }) => {
      const place = `${topic}:${partition}`;
      let seen = (this.#seen.get(place) ?? []).filter((each) => each.end > next);
      if (end > (seen.at(-1)?.end ?? next)) seen.push({ at: now, end });
      if (seen.length > REMEMBERED) seen = seen.filter((_, index) => index % 2 === 0);
      this.#seen.set(place, seen);
      return seen[0] ? (now - seen[0].at) / 1000 : 0;
    });
    return Math.max(0, ...oldest);
  }
}

type Options = {
  readonly db: Database;
  readonly log: Pick<EventLog, 'admin'>;
  readonly groupId: string;
  readonly metrics: Metrics;
};

/** Measures a consumer group from what is stored, once: see {@link Sampler} for how often. Throws when log or database do not answer. */
export const groupSampler = ({ db, log, groupId, metrics }: Options): (() => Promise<void>) => {
  const clock = new LagClock();
  const group = { group: groupId };
  return async () => {
    const parked = await parkedState(db, groupId);
    metrics.parkedRecords.set(group, parked.keys);
    metrics.parkedAge.set(group, parked.oldest ? (Date.now() - parked.oldest.getTime()) / 1000 : 0);
    const lags = await consumerLag(db, log, groupId);
    const sum = (of: (lag: Lag) => bigint): number => Number(lags.reduce((total, lag) => total + of(lag), 0n));
    for (const { topic, partition, records } of lags)
      metrics.consumerLag.set({ ...group, topic, partition: String(partition) }, Number(records));
    const behind = sum(({ records }) => records);
    const end = sum((lag) => lag.end);
    metrics.projectionLagEvents.set(group, behind);
    metrics.projectionLagSeconds.set(group, clock.seconds(lags, performance.now()));
    metrics.replayProgress.set(group, end === 0 ? 1 : (end - behind) / end);
    if (lags.length > 0) metrics.lastCommitAge.set(group, Math.min(...lags.map(({ idleSeconds }) => idleSeconds)));
  };
};
