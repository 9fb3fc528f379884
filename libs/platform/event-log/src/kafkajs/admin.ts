import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '@centralita/contracts';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import type { TopicLimits } from '../driver/appender.js';
import { protocolCodeOf } from '../driver/errors.js';
import { persist } from '../driver/persist.js';
import { topicUnknown } from '../failures.js';
import type { LogAdmin, TopicDescription, TopicSpec } from '../port.js';
import type { Cluster } from './internals.js';
import { fetchTopicIds } from './topic-ids.js';

type Bounds = { readonly beginning: bigint; readonly end: bigint };

const UNKNOWN_TOPIC = 3;
const INVALID_REPLICATION_FACTOR = 38;

type WithCluster = <T>(work: (cluster: Cluster) => Promise<T>) => Promise<T>;

/** Administration over one lazily opened connection. */
export class KafkaAdmin implements LogAdmin {
  readonly #kafka: Kafka;
  readonly #withCluster: WithCluster;
  readonly #limits = new Map<string, Promise<TopicLimits>>();
  #admin: Admin | null = null;

  constructor(kafka: Kafka, withCluster: WithCluster) {
    this.#kafka = kafka;
    this.#withCluster = withCluster;
  }

  async clusterId(): Promise<string> {
    const { clusterId } = await this.#with((admin) => admin.describeCluster());
    return clusterId;
  }

  async topicIds(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (names.length === 0) return new Map();
    return persist('cannot describe topics', () =>
      this.#withCluster(async (cluster) => {
        await cluster.refreshMetadataIfNecessary();
        return fetchTopicIds(await cluster.findControllerBroker(), names);
      }),
    );
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const existing = new Set(await this.#with((admin) => admin.listTopics()));
    const missing = specs.filter(({ name }) => !existing.has(name));
    if (missing.length === 0) return;
    await this.#with((admin) =>
      admin.createTopics({
        topics: missing.map(({ name, partitions, replicationFactor, config }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config ?? {}).map(([key, value]) => ({ name: key, value })),
        })),
      }),
    );
    await this.#untilVisible(missing.map(({ name }) => name));
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]> {
    const existing = new Set(await this.#with((admin) => admin.listTopics()));
    const wanted = names.filter((name) => existing.has(name));
    if (wanted.length === 0) return [];
    const { topics } = await this.#with((admin) => admin.fetchTopicMetadata({ topics: wanted }));
    const { resources } = await this.#with((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: wanted.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      }),
    );
    const configs = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
    return topics.map(({ name, partitions }) => ({ name, partitions: partitions.length, config: configs.get(name) ?? {} }));
  }

  async endOffsets(topic: string): Promise<Map<number, bigint>> {
    return new Map([...(await this.boundsOf(topic))].map(([partition, { end }]) => [partition, end]));
  }

  async beginningOffsets(topic: string): Promise<Map<number, bigint>> {
    return new Map([...(await this.boundsOf(topic))].map(([partition, { beginning }]) => [partition, beginning]));
  }

  async committedOffsets(groupId: string, topic: string): Promise<Map<number, bigint>> {
    await this.limitsOf(topic);
    const [found] = await this.#with((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    const committed = found?.partitions.filter(({ offset }) => BigInt(offset) >= 0n) ?? [];
    return new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** Where the records of each partition begin and end now. */
  async boundsOf(topic: string): Promise<ReadonlyMap<number, Bounds>> {
    await this.limitsOf(topic);
    const offsets = await this.#with((admin) => admin.fetchTopicOffsets(topic));
    return new Map(offsets.map(({ partition, low, high }) => [partition, { beginning: BigInt(low), end: BigInt(high) }]));
  }

  /**
   * Partition count and largest record of a topic. Asked once: the count is frozen, and kafkajs would retry an unknown topic for as
   * long as it retries anything, so existence is checked here first.
   */
  limitsOf(topic: string): Promise<TopicLimits> {
    let limits = this.#limits.get(topic);
    if (!limits) {
      limits = this.#fetchLimits(topic);
      this.#limits.set(topic, limits);
      limits.catch(() => this.#limits.delete(topic));
    }
    return limits;
  }

  async close(): Promise<void> {
    await this.#admin?.disconnect();
  }

  async #fetchLimits(topic: string): Promise<TopicLimits> {
    const [found] = await this.describeTopics([topic]);
    if (!found) throw topicUnknown(topic);
    return { partitions: found.partitions, maxRecordBytes: Number(found.config['max.message.bytes']) };
  }

  async #untilVisible(names: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const existing = new Set(await this.#with((admin) => admin.listTopics()));
      if (names.every((name) => existing.has(name))) return;
      await sleep(100);
    }
    throw new PlatformError('LOG_UNAVAILABLE', 'created topics do not become visible', { topics: names });
  }

  #with<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    return persist('administration failed', async () => {
      const used = this.#admin !== null;
      try {
        return await this.#once(work);
      } catch (error) {
        // A topic that an earlier call had asked for is gone, and kafkajs asks for it for ever: only a new client forgets it.
        if (used && protocolCodeOf(error) === UNKNOWN_TOPIC) return this.#once(work);
        if (protocolCodeOf(error) === INVALID_REPLICATION_FACTOR)
          throw new PlatformError(
            'CONFIGURATION_INVALID',
            'the cluster has fewer brokers than the replication factor',
            {},
            { cause: error },
          );
        throw error;
      }
    });
  }

  async #once<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = (this.#admin ??= this.#kafka.admin());
    try {
      await admin.connect();
      return await work(admin);
    } catch (error) {
      if (this.#admin === admin) this.#admin = null;
      void admin.disconnect().catch(() => undefined);
      throw error;
    }
  }
}
