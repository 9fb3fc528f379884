import type { Cursor, Fetched } from '../driver/reader.js';
import { samePartition } from '../driver/reader.js';
import { topicUnknown } from '../failures.js';
import type { Cluster } from './internals.js';
import { storedRecord } from './records.js';

const READ_COMMITTED = 1;
const PARTITION_BYTES = 1024 * 1024;
const REQUEST_BYTES = 10 * PARTITION_BYTES;

/** Fetches straight from the leaders, over one connection to the cluster that administration shares. */
export class Fetcher {
  readonly #open: () => Cluster;
  #cluster: Cluster | null = null;

  constructor(open: () => Cluster) {
    this.#open = open;
  }

  /**
   * Runs with the connected cluster. After a failure the next call gets a new one: kafkajs remembers every topic that it was
   * asked for, and one of them that is gone makes all later metadata requests fail.
   */
  async withCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const cluster = (this.#cluster ??= this.#open());
    try {
      await cluster.connect();
      return await work(cluster);
    } catch (error) {
      if (this.#cluster === cluster) this.#cluster = null;
      void cluster.disconnect().catch(() => undefined);
      throw error;
    }
  }

  /** One request to each leader; what each cursor's partition has from its offset on. */
  fetch(cursors: readonly Cursor[]): Promise<Fetched[]> {
    return this.withCluster(async (cluster) => {
      await cluster.addMultipleTargetTopics([...new Set(cursors.map(({ topic }) => topic))]);
      await cluster.refreshMetadataIfNecessary();
      const byLeader = Map.groupBy(cursors, ({ topic, partition }) => {
        const metadata = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
        if (!metadata) throw topicUnknown(topic, partition);
        return metadata.leader;
      });
      const fetched = await Promise.all([...byLeader].map(([nodeId, led]) => this.#fetchFrom(cluster, nodeId, led)));
      return fetched.flat();
    });
  }

  async close(): Promise<void> {
    await this.#cluster?.disconnect();
  }

  async #fetchFrom(cluster: Cluster, nodeId: number, cursors: readonly Cursor[]): Promise<Fetched[]> {
    const broker = await cluster.findBroker({ nodeId });
    const topics = [...Map.groupBy(cursors, ({ topic }) => topic)].map(([topic, led]) => ({
      topic,
      partitions: led.map(({ partition, next }) => ({ partition, fetchOffset: next.toString(), maxBytes: PARTITION_BYTES })),
    }));
    const { responses } = await broker.fetch({
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: REQUEST_BYTES,
      isolationLevel: READ_COMMITTED,
      topics,
    });
    return responses.flatMap(({ topicName, partitions }) =>
      partitions.flatMap(({ partition, messages }) => {
        const cursor = cursors.find((each) => samePartition(each, { topic: topicName, partition }));
        const records = messages.filter(({ isControlRecord }) => !isControlRecord);
        return cursor ? [{ cursor, records: records.map((message) => storedRecord(topicName, partition, message)) }] : [];
      }),
    );
  }
}
