import { Topics } from '@centralita/contracts';
import { ensureTopics, topicProblems, topicSpecs } from '@centralita/event-log';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { wholeNumber } from '../whole-number.js';
import { DIFFERENT, DONE } from '../exit-codes.js';
import { operationRecord, withLog } from '../log.js';
import { operation } from '../operation.js';

type Wanted = { readonly partitions: number; readonly replicationFactor: number; readonly minInsync: number };

/** `ops topics create|check`: the platform's topics. Nothing that exists is ever changed. */
export const topicsCommand = (io: Io, outcome: Outcome): Command => {
  const topics = new Command('topics').description('the topics of the platform');
  topics.addCommand(
    operation(io, outcome, 'create', 'make the topics that are missing, and refuse those that differ', async (command) => {
      const { partitions, replicationFactor, minInsync } = command.opts<Wanted>();
      return withLog(io, 'topics', async ({ log, principal }) => {
        const existing = new Set((await log.admin.describeTopics(Topics)).map(({ name }) => name));
        await ensureTopics(log.admin, { partitions, replicationFactor, minInsyncReplicas: minInsync });
        const created = topicSpecs.map(({ name }) => name).filter((name) => !existing.has(name));
        const now = new Date();
        const data = {
          topics: created,
          partitions,
          replicationFactor,
          minInsyncReplicas: minInsync,
          principal,
          at: now.toISOString(),
        };
        if (created.length > 0) await log.append([operationRecord('topics.created.v1', data, now)]);
        return {
          exitCode: DONE,
          json: { created, existing: [...existing].sort() },
          lines: [...created.map((name) => `${name} created`), ...[...existing].sort().map((name) => `${name} is there`)],
        };
      });
    })
      .option('--partitions <count>', 'of every topic; frozen once they are made', wholeNumber, 12)
      .option('--replication-factor <count>', 'replicas of every partition', wholeNumber, 3)
      .option('--min-insync <count>', 'replicas that must have a record before it is acknowledged', wholeNumber, 2),
  );
  topics.addCommand(
    operation(io, outcome, 'check', 'say what is wrong with the topics, and change nothing', async (command) => {
      const { partitions } = command.opts<{ partitions?: number }>();
      return withLog(io, 'topics', async ({ log }) => {
        const problems = await topicProblems(log.admin, Topics, partitions);
        return {
          exitCode: problems.length === 0 ? DONE : DIFFERENT,
          json: { topics: Topics, problems },
          lines: [...problems, `result: ${problems.length === 0 ? 'OK' : 'DIFFERENT'}`],
        };
      });
    }).option('--partitions <count>', 'the number that was chosen at installation; without it they must agree', wholeNumber),
  );
  return topics;
};
