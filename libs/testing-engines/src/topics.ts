import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { until } from './until.js';

/** KAFKA_BROKERS as a list; the jest setup sets it. */
export const testBrokers = (): string[] => {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run this spec as TEST_TIER=int');
  return brokers.split(',');
};

const withAdmin = async <T>(brokers: readonly string[], work: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = new Kafka({ clientId: 'centralita-testing', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};

/** Removes the topics of these names that exist, with their records. The platform itself never does: its port has no way to. */
export const deleteTopics = (brokers: readonly string[], names: readonly string[]): Promise<void> =>
  withAdmin(brokers, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const topics = names.filter((name) => existing.has(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });

/**
 * Creates a topic of its own for each name and returns the mapping from name to the topic's real name (`name.suffix`). Nobody else uses them, and
 * they go with the broker.
 */
export const createTestTopics = async <N extends string>(names: readonly N[], partitions = 1): Promise<Record<N, string>> => {
  const suffix = randomBytes(5).toString('hex');
  const mapping = Object.fromEntries(names.map((name) => [name, `${name}.${suffix}`])) as Record<N, string>;
  await withAdmin(testBrokers(), async (admin) => {
    const topics = Object.values<string>(mapping).map((topic) => ({
      topic,
      numPartitions: partitions,
      configEntries: [{ name: 'retention.ms', value: '-1' }],
    }));
    // Not its waitForLeaders: that fails when the broker it asks has not heard of the topic yet.
    await admin.createTopics({ topics, waitForLeaders: false });
    const led = async (): Promise<boolean> => {
      const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) }).catch(() => ({ topics: [] }));
      return (
        metadata.topics.length === topics.length &&
        metadata.topics.every((topic) => topic.partitions.every(({ leader }) => leader >= 0))
      );
    };
    await until(led, { timeoutMs: 30_000, describe: 'leaders of the new topics' });
  });
  return mapping;
};
