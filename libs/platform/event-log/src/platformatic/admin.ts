import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigResourceTypes,
  createTopicsV7,
  describeConfigsV4,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
  listOffsetsV7,
  ListOffsetTimestamps,
  offsetFetchV8,
  type Broker,
} from '@platformatic/kafka';
import { PlatformError } from '@centralita/contracts';
import type { TopicLimits } from '../driver/appender.js';
import { persist } from '../driver/persist.js';
import { topicUnknown } from '../failures.js';
import type { LogAdmin, TopicDescription, TopicSpec } from '../port.js';
import { answerOf, protocolError } from './answers.js';
import type { Directory } from './directory.js';
import type { Wire } from './wire.js';

type Bounds = { readonly beginning: bigint; readonly end: bigint };

const NONE = 0;
const LEADER_NOT_AVAILABLE = 5;
const TOPIC_ALREADY_EXISTS = 36;
const INVALID_REPLICATION_FACTOR = 38;
const READ_UNCOMMITTED = 0;
const NO_REPLICA = -1;
const CREATE_MS = 10_000;

/** Administration: any broker is asked, but leaders for offsets and coordinators for groups. */
export class PlatformaticAdmin implements LogAdmin {
  readonly #directory: Directory;
  readonly #wire: Wire;
  readonly #tries: number;
  readonly #limits = new Map<string, Promise<TopicLimits>>();

  constructor(directory: Directory, wire: Wire, tries: number) {
    this.#tries = tries;
    this.#directory = directory;
    this.#wire = wire;
  }

  clusterId(): Promise<string> {
    return this.#with(() => this.#directory.clusterId());
  }

  async topicIds(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (names.length === 0) return new Map();
    return this.#with(async () => {
      const found = await this.#directory.existing(names);
      return new Map(
        names.map((name) => {
          const id = found.get(name)?.id;
          if (id === undefined) throw topicUnknown(name);
          return [name, id];
        }),
      );
    });
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const existing = await this.#with(() => this.#directory.existing(specs.map(({ name }) => name)));
    const missing = specs.filter(({ name }) => !existing.has(name));
    if (missing.length === 0) return;
    await this.#with(async () => {
      const { topics } = await answerOf(this.#directory.ask(createTopicsV7.api, missing.map(requestOf), CREATE_MS, false));
      for (const { errorCode } of topics) {
        if (errorCode === NONE || errorCode === TOPIC_ALREADY_EXISTS) continue;
        const cause = protocolError(errorCode);
        if (errorCode !== INVALID_REPLICATION_FACTOR) throw cause;
        throw new PlatformError(
          'CONFIGURATION_INVALID',
          'the cluster has fewer brokers than the replication factor',
          {},
          { cause },
        );
      }
    });
    await this.#untilLed(missing);
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]> {
    if (names.length === 0) return [];
    return this.#with(async () => {
      const existing = await this.#directory.existing(names);
      const wanted = names.filter((name) => existing.has(name));
      if (wanted.length === 0) return [];
      const resources = wanted.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
      const { results } = await this.#directory.ask(describeConfigsV4.api, resources, false, false);
      const configs = new Map(
        results.map(({ resourceName, configs: own }) => [
          resourceName,
          Object.fromEntries(own.map(({ name, value }) => [name, value ?? ''])),
        ]),
      );
      return wanted.map((name) => ({
        name,
        partitions: existing.get(name)?.leaders.length ?? 0,
        config: configs.get(name) ?? {},
      }));
    });
  }

  async endOffsets(topic: string): Promise<Map<number, bigint>> {
    return new Map([...(await this.boundsOf(topic))].map(([partition, { end }]) => [partition, end]));
  }

  async beginningOffsets(topic: string): Promise<Map<number, bigint>> {
    return new Map([...(await this.boundsOf(topic))].map(([partition, { beginning }]) => [partition, beginning]));
  }

  async committedOffsets(groupId: string, topic: string): Promise<Map<number, bigint>> {
    return this.#with(async () => {
      const { leaders } = await this.#directory.topic(topic);
      const partitionIndexes = leaders.map((_, partition) => partition);
      const { coordinators } = await this.#directory.ask(findCoordinatorV4.api, FindCoordinatorKeyTypes.GROUP, [groupId]);
      const [coordinator] = coordinators;
      if (!coordinator) throw new Error('no coordinator in the answer');
      const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: [{ name: topic, partitionIndexes }] }];
      const answer = await this.#wire.send(coordinator, offsetFetchV8.api, groups, false);
      const partitions = answer.groups.flatMap((group) => group.topics).flatMap((each) => each.partitions);
      return new Map(
        partitions
          .filter(({ committedOffset }) => committedOffset >= 0n)
          .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
      );
    });
  }

  /** Where the records of each partition begin and end now. */
  boundsOf(topic: string): Promise<ReadonlyMap<number, Bounds>> {
    return this.#with(async () => {
      await this.#directory.refresh([topic]);
      const [beginnings, ends] = await Promise.all([
        this.#offsets(topic, ListOffsetTimestamps.EARLIEST),
        this.#offsets(topic, ListOffsetTimestamps.LATEST),
      ]);
      return new Map(
        [...beginnings].map(([partition, beginning]) => [partition, { beginning, end: ends.get(partition) ?? beginning }]),
      );
    });
  }

  /** Partition count and largest record of a topic. Asked once: the count is frozen. */
  limitsOf(topic: string): Promise<TopicLimits> {
    let limits = this.#limits.get(topic);
    if (!limits) {
      limits = this.#fetchLimits(topic);
      this.#limits.set(topic, limits);
      limits.catch(() => this.#limits.delete(topic));
    }
    return limits;
  }

  async #fetchLimits(topic: string): Promise<TopicLimits> {
    const [found] = await this.describeTopics([topic]);
    if (!found) throw topicUnknown(topic);
    return { partitions: found.partitions, maxRecordBytes: Number(found.config['max.message.bytes']) };
  }

  async #offsets(topic: string, timestamp: bigint): Promise<Map<number, bigint>> {
    const leaders = this.#directory.known(topic)?.leaders ?? [];
    const byLeader = new Map<Broker, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>();
    for (const [partitionIndex, leader] of leaders.entries()) {
      if (!leader) throw protocolError(LEADER_NOT_AVAILABLE);
      const own = byLeader.get(leader.broker) ?? [];
      own.push({ partitionIndex, currentLeaderEpoch: leader.epoch, timestamp });
      byLeader.set(leader.broker, own);
    }
    const answers = await Promise.all(
      [...byLeader].map(([broker, partitions]) =>
        this.#wire.send(broker, listOffsetsV7.api, NO_REPLICA, READ_UNCOMMITTED, [{ name: topic, partitions }]),
      ),
    );
    return new Map(
      answers
        .flatMap(({ topics }) => topics)
        .flatMap(({ partitions }) => partitions)
        .map(({ partitionIndex, offset }) => [partitionIndex, offset]),
    );
  }

  /** A new topic is there before its partitions have leaders, and not on every broker at once. */
  async #untilLed(specs: readonly TopicSpec[]): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const found = await this.#with(() => this.#directory.existing(specs.map(({ name }) => name)));
      const led = ({ name, partitions }: TopicSpec): boolean => {
        const leaders = found.get(name)?.leaders ?? [];
        return leaders.length >= partitions && leaders.every((leader) => leader !== undefined);
      };
      if (specs.every(led)) return;
      await sleep(100);
    }
    throw new PlatformError('LOG_UNAVAILABLE', 'created topics do not become visible', {
      topics: specs.map(({ name }) => name),
    });
  }

  #with<T>(work: () => Promise<T>): Promise<T> {
    return persist('administration failed', work, this.#tries);
  }
}

const requestOf = ({ name, partitions, replicationFactor, config }: TopicSpec) => ({
  name,
  numPartitions: partitions,
  replicationFactor,
  assignments: [],
  configs: Object.entries(config ?? {}).map(([key, value]) => ({ name: key, value })),
});
