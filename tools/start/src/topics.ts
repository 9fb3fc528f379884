import { isPlatformError } from '@centralita/contracts';
import { ensureTopics, openEventLog, topicSpecs } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { StartProblem } from './problem.js';

/** Creates the platform's topics, or checks those that exist. With `fresh` they must be empty: a checked day explains every record. */
export const prepareTopics = async (brokers: readonly string[], options: { fresh: boolean }): Promise<void> => {
  const log = openEventLog({ brokers: [...brokers], clientId: 'centralita-start' });
  try {
    const safe = brokers.length >= 3;
    await ensureTopics(log.admin, { replicationFactor: safe ? 3 : 1, minInsyncReplicas: safe ? 2 : 1 });
    // Offsets can be asked once every partition has a leader, which for a new topic takes a moment; services would trip over it too.
    const ends = await until(
      () =>
        Promise.all(topicSpecs.map(async ({ name }) => ({ name, offsets: await log.admin.endOffsets(name) }))).catch(
          (error: unknown) => {
            if (isPlatformError(error) && error.retryable) return null;
            throw error;
          },
        ),
      { timeoutMs: 30_000, describe: 'leaders of all topics' },
    );
    const used = ends.filter(({ offsets }) => [...offsets.values()].some((offset) => offset > 0n)).map(({ name }) => name);
    if (options.fresh && used.length > 0) {
      throw new StartProblem(
        `${brokers.join(',')} holds records already (${used.join(', ')}): --once judges everything it finds and needs an empty Kafka`,
      );
    }
  } finally {
    await log.close();
  }
};
