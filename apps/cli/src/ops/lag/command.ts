import { Topics } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { DONE } from '../exit-codes.js';
import { withLog } from '../log.js';
import { counted, operation } from '../operation.js';

/** Consumer groups of the services; what a group reads shows in what it has committed. */
export const consumerGroups = ['ingest-sender', 'ingest-media', 'conversation', 'routing', 'billing', 'audit-log'] as const;

export type GroupLag = {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly next: bigint;
  readonly end: bigint;
};

/** How far each group is behind, from what it has committed: a consumer that has stopped shows it too. */
export const groupLags = async (
  admin: Pick<EventLog['admin'], 'describeTopics' | 'endOffsets' | 'committedOffsets'>,
  groups: readonly string[] = consumerGroups,
): Promise<GroupLag[]> => {
  const topics = (await admin.describeTopics(Topics)).map(({ name }) => name).sort();
  const ends = new Map(await Promise.all(topics.map(async (topic) => [topic, await admin.endOffsets(topic)] as const)));
  const lags: GroupLag[] = [];
  for (const group of groups)
    for (const topic of topics)
      for (const [partition, next] of [...(await admin.committedOffsets(group, topic))].sort(([one], [other]) => one - other))
        lags.push({ group, topic, partition, next, end: ends.get(topic)?.get(partition) ?? next });
  return lags;
};

const behind = ({ next, end }: GroupLag): bigint => (end > next ? end - next : 0n);

/** `ops lag`: how far the services are behind the log. */
export const lagCommand = (io: Io, outcome: Outcome): Command =>
  operation(io, outcome, 'lag', 'show how far the services are behind the log', async () =>
    withLog(io, 'lag', async ({ log }) => {
      const lags = await groupLags(log.admin);
      const totals = new Map<string, bigint>();
      for (const lag of lags) {
        const name = `${lag.group} ${lag.topic}`;
        totals.set(name, (totals.get(name) ?? 0n) + behind(lag));
      }
      const all = [...totals.values()].reduce((sum, records) => sum + records, 0n);
      return {
        exitCode: DONE,
        json: {
          records: Number(all),
          partitions: lags.map((lag) => ({ ...lag, next: String(lag.next), end: String(lag.end), records: String(behind(lag)) })),
        },
        lines: [
          ...[...totals].map(([name, records]) => `${name} ${records.toLocaleString('en')}`),
          `behind: ${counted(all, 'record')}`,
        ],
      };
    }),
  );
