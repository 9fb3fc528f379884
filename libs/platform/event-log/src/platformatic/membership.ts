import {
  decodeConsumerProtocolAssignment,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV8,
  ResponseError,
  syncGroupV5,
  type API,
  type Broker,
} from '@platformatic/kafka';
import { protocolCodeOf } from '../driver/errors.js';
import type { TopicPartition } from '../port.js';
import type { Directory } from './directory.js';
import type { Wire } from './wire.js';

type Joined = joinGroupV9.JoinGroupResponse;

export type MembershipOptions = {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionMs: number;
  readonly rebalanceMs: number;
};

/** A join is answered when all members have come: nothing else may wait behind it, nor as long. */
export type MembershipWires = { readonly joins: Wire; readonly calls: Wire };

/** Name and layout as kafkajs has them: both drivers can be members of one group, so a change of driver needs no standstill. */
const ASSIGNOR = { name: 'RoundRobinAssigner', version: 0 } as const;
const PROTOCOL = 'consumer';
const UNKNOWN_EPOCH = -1;

const UNKNOWN_MEMBER_ID = 25;
const MEMBER_ID_REQUIRED = 79;
const FENCED_INSTANCE_ID = 82;
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: another broker has to be asked, or the same one later. */
const moved: ReadonlySet<number | undefined> = new Set([14, 15, 16]);

/** Every partition of every topic in turn to the members in the order of their ids, whoever leads. */
export const roundRobin = (members: readonly string[], partitions: readonly TopicPartition[]): Map<string, TopicPartition[]> => {
  const sorted = [...members].sort();
  const assigned = new Map<string, TopicPartition[]>(sorted.map((member) => [member, []]));
  for (const [index, where] of partitions.entries()) assigned.get(sorted[index % sorted.length] ?? '')?.push(where);
  return assigned;
};

const byTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    partitions: own.map(({ partition }) => partition),
  }));

/**
 * One member of a group, classic protocol: each call is one exchange with the coordinator. When to join, and what happens to running work
 * before that, is the subscription's business; the client's own `Consumer` joins again as soon as a heartbeat says so, while batches
 * still run.
 */
export class Membership {
  readonly #directory: Directory;
  readonly #wires: MembershipWires;
  readonly #options: MembershipOptions;
  #coordinator: Broker | null = null;
  #memberId = '';
  #generation = -1;

  constructor(directory: Directory, wires: MembershipWires, options: MembershipOptions) {
    this.#directory = directory;
    this.#wires = wires;
    this.#options = options;
  }

  /** Gives what the group assigns to this member. Throws what another call may cure, and what it will not. */
  async join(): Promise<readonly TopicPartition[]> {
    const joined = await this.#joined();
    this.#generation = joined.generationId;
    const assignments = joined.leader === this.#memberId ? await this.#assign(joined) : [];
    const { groupId } = this.#options;
    const { assignment } = await this.#ask(
      this.#wires.joins,
      syncGroupV5.api,
      groupId,
      this.#generation,
      this.#memberId,
      null,
      PROTOCOL,
      ASSIGNOR.name,
      assignments,
    );
    return decodeConsumerProtocolAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  async heartbeat(): Promise<void> {
    await this.#ask(this.#wires.calls, heartbeatV4.api, this.#options.groupId, this.#generation, this.#memberId, null);
  }

  async commit(offsets: readonly (TopicPartition & { offset: bigint })[]): Promise<void> {
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, own]) => ({
      name,
      partitions: own.map(({ partition, offset }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: UNKNOWN_EPOCH,
        committedMetadata: null,
      })),
    }));
    await this.#ask(this.#wires.calls, offsetCommitV8.api, this.#options.groupId, this.#generation, this.#memberId, null, topics);
  }

  async leave(): Promise<void> {
    if (this.#memberId === '' || !this.#coordinator) return;
    await this.#wires.calls.send(this.#coordinator, leaveGroupV5.api, this.#options.groupId, [{ memberId: this.#memberId }]);
  }

  async #joined(): Promise<Joined> {
    const { groupId, topics, sessionMs, rebalanceMs } = this.#options;
    const metadata = encodeConsumerProtocolSubscription({
      version: ASSIGNOR.version,
      topics: [...topics],
      userData: Buffer.alloc(0),
    });
    const ask = () =>
      this.#ask(this.#wires.joins, joinGroupV9.api, groupId, sessionMs, rebalanceMs, this.#memberId, null, PROTOCOL, [
        { name: ASSIGNOR.name, metadata },
      ]);
    try {
      const joined = await ask();
      this.#memberId = joined.memberId;
      return joined;
    } catch (error) {
      const code = protocolCodeOf(error);
      if (code === UNKNOWN_MEMBER_ID || code === FENCED_INSTANCE_ID) this.#memberId = '';
      if (code !== MEMBER_ID_REQUIRED || !(error instanceof ResponseError) || !('response' in error)) throw error;
      this.#memberId = (error.response as Joined).memberId;
      return ask();
    }
  }

  async #assign(joined: Joined): Promise<{ memberId: string; assignment: Buffer }[]> {
    await this.#directory.refresh(this.#options.topics);
    const partitions = this.#options.topics.flatMap((topic) =>
      (this.#directory.known(topic)?.leaders ?? []).map((_, partition) => ({ topic, partition })),
    );
    const assigned = roundRobin(
      joined.members.map(({ memberId }) => memberId),
      partitions,
    );
    return [...assigned].map(([memberId, own]) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({ version: ASSIGNOR.version, assignedPartitions: byTopic(own) }),
    }));
  }

  async #ask<A extends unknown[], R>(wire: Wire, api: API<A, R>, ...args: A): Promise<R> {
    try {
      this.#coordinator ??= await this.#find();
      return await wire.send(this.#coordinator, api, ...args);
    } catch (error) {
      const code = protocolCodeOf(error);
      // Without a code the broker itself did not answer.
      if (code === undefined || moved.has(code)) this.#coordinator = null;
      throw error;
    }
  }

  async #find(): Promise<Broker> {
    const { groupId } = this.#options;
    const { coordinators } = await this.#directory.ask(findCoordinatorV4.api, FindCoordinatorKeyTypes.GROUP, [groupId]);
    const [found] = coordinators;
    if (!found) throw new Error('no coordinator in the answer');
    return { host: found.host, port: found.port };
  }
}
