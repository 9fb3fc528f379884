import { decodeEvent, Topics, type Topic } from '@centralita/contracts';
import { openEventLog, type EventLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import type { StartContext } from '@centralita/tool-start';
import type { Observed } from '../collect/instruments.js';
import { PATIENCE_MS, select } from './watch.js';

export type LogEnds = ReadonlyMap<Topic, ReadonlyMap<number, bigint>>;

export const withLog = async <Result>(context: StartContext, work: (log: EventLog) => Promise<Result>): Promise<Result> => {
  const log = await openEventLog({ brokers: [...context.brokers], clientId: 'faults' });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
};

/** Where every partition of the platform's topics ends. */
export const logEnds = (context: StartContext): Promise<LogEnds> =>
  withLog(
    context,
    async (log) => new Map(await Promise.all(Topics.map(async (topic) => [topic, await log.admin.endOffsets(topic)] as const))),
  );

/** Waits until a service has published what it has recorded, and applied what is on the log. */
export const untilIdle = (context: StartContext, database: Observed): Promise<unknown> => {
  let left: readonly string[] = [];
  return until(
    async () => {
      const ends = new Map<string, ReadonlyMap<number, bigint>>(await logEnds(context));
      const dirty = await select<{ topic: string }>(
        context,
        database,
        'select topic from key_head where dirty_since is not null',
      );
      const positions = await select<{ topic: string; partition: number; next_offset: string }>(
        context,
        database,
        'select topic, partition, next_offset from consumer_offset',
      );
      const behind = positions.filter(
        ({ topic, partition, next_offset }) => BigInt(next_offset) < (ends.get(topic)?.get(partition) ?? 0n),
      );
      left = [...dirty.map(({ topic }) => `to publish on ${topic}`), ...behind.map(({ topic }) => `to apply of ${topic}`)];
      return left.length === 0;
    },
    { timeoutMs: PATIENCE_MS, describe: () => `${database} to go on; left: ${[...new Set(left)].join(', ')}` },
  );
};

/** How many records each source has written between two looks at the ends. */
export const writtenBetween = (context: StartContext, before: LogEnds, after: LogEnds): Promise<ReadonlyMap<string, number>> =>
  withLog(context, async (log) => {
    const counts = new Map<string, number>();
    const ranges = [...after].flatMap(([topic, ends]) =>
      [...ends].map(([partition, to]) => ({ topic, partition, from: before.get(topic)?.get(partition) ?? 0n, to })),
    );
    await log.read(
      ranges.filter(({ from, to }) => from < to),
      async (records) => {
        for (const { value } of records) {
          const decoded = decodeEvent(value);
          const source = 'event' in decoded ? decoded.event.source : 'unreadable';
          counts.set(source, (counts.get(source) ?? 0) + 1);
        }
      },
    );
    return counts;
  });
