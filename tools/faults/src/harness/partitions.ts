import { until } from '@centralita/testing-engines';
import type { StartContext } from '@centralita/tool-start';
import kafkajs, { type Admin, type PartitionMetadata } from 'kafkajs';
import { PATIENCE_MS } from './watch.js';

/** Asks the brokers as an operator does, in a session of its own. */
export const asAdmin = async <Result>(context: StartContext, work: (admin: Admin) => Promise<Result>): Promise<Result> => {
  const kafka = new kafkajs.Kafka({ brokers: [...context.brokers], clientId: 'faults', logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};

export const partitionOf = (context: StartContext, topic: string, partition: number): Promise<PartitionMetadata> =>
  asAdmin(context, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    if (!found) throw new RangeError(`${topic} has no partition ${partition}`);
    return found;
  });

/** Waits until a partition is in a state, through brokers that do not answer. */
export const untilPartition = (
  context: StartContext,
  topic: string,
  partition: number,
  what: string,
  holds: (found: PartitionMetadata) => boolean,
): Promise<PartitionMetadata> =>
  until(
    async () => {
      const found = await partitionOf(context, topic, partition).catch(() => null);
      return found !== null && holds(found) ? found : null;
    },
    { timeoutMs: PATIENCE_MS, describe: `${topic}/${partition}: ${what}` },
  );

/** How often a record must have been copied before it is acknowledged, as the topic says now. */
export const minInSync = (context: StartContext, topic: string): Promise<number> =>
  asAdmin(context, async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['min.insync.replicas'] }],
    });
    return Number(resources[0]?.configEntries[0]?.configValue);
  });
