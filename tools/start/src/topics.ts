import { ensureTopics, openEventLog, topicSpecs } from '@centralita/event-log';
import { StartProblem } from './problem.js';

/** Creates the platform's topics, or checks those that exist. With `fresh` they must be empty: a checked day explains every record. */
export const prepareTopics = async (brokers: readonly string[], options: { fresh: boolean }): Promise<void> => {
  const log = openEventLog({ brokers: [...brokers], clientId: 'centralita-start' });
  try {
    const safe = brokers.length >= 3;
    await ensureTopics(log.admin, { replicationFactor: safe ? 3 : 1, minInsyncReplicas: safe ? 2 : 1 });
    if (!options.fresh) return;
    for (const { name } of topicSpecs) {
      const ends = await log.admin.endOffsets(name);
      if ([...ends.values()].some((offset) => offset > 0n)) {
        throw new StartProblem(
          `${name} on ${brokers.join(',')} holds records already: --once judges everything it finds and needs an empty Kafka`,
        );
      }
    }
  } finally {
    await log.close();
  }
};
