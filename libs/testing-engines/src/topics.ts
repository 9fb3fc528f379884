import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { until } from './until.js';

/** KAFKA_BROKERS as a list; the jest setup sets it. */
export const testBrokers = (): string[] => {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run this spec as TEST_TIER=int');
  return brokers.split(',');
};

/**
 * Creates a topic of its own for each name and returns the mapping from name to the topic's real name (`name.suffix`). Nobody else uses them, and
 * they go with the broker.
 */
export const createTestTopics = async <N extends string>(names: readonly N[], partitions = 1): Promise<Record<N, string>> => {
  const suffix = randomBytes(5).toString('hex');
  const mapping = Object.fromEntries(names.map((name) => [name, `${name}.${suffix}`])) as Record<N, string>;
  const admin = new Kafka({ clientId: 'centralita-testing', brokers: testBrokers(), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
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
  } finally {
    await admin.disconnect();
  }
  return mapping;
};
