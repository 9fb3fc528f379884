import { isPlatformError } from '@centralita/contracts';
import { ensureTopics, topicSpecs } from '@centralita/event-log';
import type { EventLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { StartProblem } from './problem.js';

type Admin = EventLog['admin'];

const endsOf = (admin: Admin, topics: readonly string[]): Promise<{ name: string; used: boolean }[]> =>
  Promise.all(
    topics.map(async (name) => ({ name, used: [...(await admin.endOffsets(name)).values()].some((offset) => offset > 0n) })),
  );

/** Databases that are empty need a log that is: no service could read what an earlier installation has sealed. */
export const assertNoRecords = async (admin: Admin, brokers: readonly string[], topics: readonly string[]): Promise<void> => {
  const used = (await endsOf(admin, topics)).flatMap(({ name, used }) => (used ? [name] : []));
  if (used.length > 0)
    throw new StartProblem(
      `the Kafka at ${brokers.join(',')} holds records that go with other databases (${used.join(', ')}): delete these topics, or name another Kafka`,
    );
};

/** Creates the platform's topics, or checks those that exist, and resolves when all can be read and written. */
export const prepareTopics = async (admin: Admin, brokers: readonly string[]): Promise<void> => {
  const safe = brokers.length >= 3;
  await ensureTopics(admin, { replicationFactor: safe ? 3 : 1, minInsyncReplicas: safe ? 2 : 1 }).catch((error: unknown) => {
    if (isPlatformError(error, 'TOPIC_MISMATCH')) throw new StartProblem(`the Kafka at ${brokers.join(',')}: ${error.message}`);
    throw error;
  });
  // Offsets can be asked once every partition has a leader, which for a new topic takes a moment; services would trip over it too.
  await until(
    () =>
      endsOf(
        admin,
        topicSpecs.map(({ name }) => name),
      ).catch((error: unknown) => {
        if (isPlatformError(error) && error.retryable) return null;
        throw error;
      }),
    { timeoutMs: 30_000, describe: 'leaders of all topics' },
  );
};
