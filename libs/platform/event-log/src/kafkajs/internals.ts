import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '@centralita/contracts';
import type { Kafka, KafkaMessage, PartitionMetadata } from 'kafkajs';
import { encodeProduce, isPlain, type ProduceRequest } from './produce-request.js';

/*
 * The one place that knows the inside of kafkajs. Its public surface lacks three things that a ledger needs, it has one fault that
 * costs a laptop its battery, it leaves groups waiting, and it writes requests slowly. The client is unmaintained, so its inside does not move; the version check makes sure of it.
 */

const KNOWN_VERSION = '2.2.4';

const load = createRequire(import.meta.url);

/** Throws CONFIGURATION_INVALID for any other release than the one whose source was read: repairs of unknown code are damage. */
export const requireKnownVersion = (found: unknown): void => {
  if (found !== KNOWN_VERSION)
    throw new PlatformError(
      'CONFIGURATION_INVALID',
      `kafkajs ${String(found)} is not ${KNOWN_VERSION}, for which the repairs were written`,
    );
};

type Queue = {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
};

/**
 * Replaces a method that arms a timer of 1 ms for ever, with or without pending requests: 3.6 % of a core for an idle client of
 * three brokers (tulios/kafkajs#1704), and Node's TimeoutNegativeWarning (#1751).
 */
function scheduleCheckPendingRequests(this: Queue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  const throttled = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttled > 0 ? throttled : 10,
  );
}

/** A broker that does not know yet that it is not the leader any more can have less than was read: it learns within its session. */
const OUT_OF_RANGE_GRACE_MS = 10_000;

type Group = { cluster: { refreshMetadata(): Promise<void> }; outOfRange?: Map<string, { since: number; last: number }> };

/**
 * Replaces what kafkajs does when a position is not on the log (records were lost): it commits the group's default offset and goes
 * on there. A ledger must stop instead, once it is sure.
 */
async function recoverFromOffsetOutOfRange(
  this: Group,
  { topic, partition }: { topic: string; partition: number },
): Promise<void> {
  const seen = (this.outOfRange ??= new Map<string, { since: number; last: number }>());
  const now = performance.now();
  const place = `${topic}:${partition}`;
  const before = seen.get(place);
  const since = before && now - before.last < OUT_OF_RANGE_GRACE_MS ? before.since : now;
  seen.set(place, { since, last: now });
  if (now - since < OUT_OF_RANGE_GRACE_MS) {
    await sleep(250);
    return this.cluster.refreshMetadata();
  }
  const { KafkaJSNonRetriableError } = load('kafkajs/src/errors') as { KafkaJSNonRetriableError: new (message: string) => Error };
  throw Object.assign(new KafkaJSNonRetriableError(`position of ${place} is not on the log`), { code: 1, topic, partition });
}

/**
 * A broker answers SyncGroup when the leader of the generation has, or when its session is over. kafkajs waits for 15 s only, gives up, and
 * comes back as one member more, for whom the group then waits in turn.
 */
const SYNC_TIMEOUT_MS = 65_000;
/** A member whose broker is away is not told to leave; its session ends it. */
const LEAVE_MS = 2000;

type SyncProtocol = { protocol: (of: { readonly version: number }) => (options: unknown) => object };
const patient = new WeakSet<SyncProtocol>();

const waitForSync = (syncGroup: SyncProtocol): void => {
  if (patient.has(syncGroup)) return;
  patient.add(syncGroup);
  const { protocol } = syncGroup;
  syncGroup.protocol = (of) => {
    const original = protocol(of);
    return (options) => ({ ...original(options), requestTimeout: SYNC_TIMEOUT_MS });
  };
};

type Joining = { joinAndSync: (this: Joining) => Promise<void>; leave: (this: Joining) => Promise<void> };
const leaving = new WeakSet<Joining>();

/** A member that could not finish its join leaves the group, which otherwise waits for it until its session ends. */
const leaveWhenJoinFails = (consumerGroup: Joining): void => {
  if (leaving.has(consumerGroup)) return;
  leaving.add(consumerGroup);
  const { joinAndSync } = consumerGroup;
  consumerGroup.joinAndSync = async function (this: Joining): Promise<void> {
    try {
      await joinAndSync.call(this);
    } catch (error) {
      await Promise.race([this.leave().catch(() => undefined), sleep(LEAVE_MS, undefined, { ref: false })]);
      throw error;
    }
  };
};

type EncodedRequest = { readonly buf: Buffer; readonly buffer: Buffer };
type ProduceProtocol = (request: ProduceRequest) => {
  readonly request: { readonly encode: () => Promise<EncodedRequest> };
  readonly response: unknown;
};
type ProduceVersions = { protocol: (of: { readonly version: number }) => ProduceProtocol };

/** Since this version of the request all of them are written in the same way. */
const SAME_SINCE = 3;
const quicker = new WeakSet<ProduceVersions>();

/** Lets requests that hold nothing unusual be written by us: {@link encodeProduce}. */
const writeProduceRequests = (produce: ProduceVersions): void => {
  if (quicker.has(produce)) return;
  quicker.add(produce);
  const { protocol } = produce;
  produce.protocol = ({ version }) => {
    const original = protocol({ version });
    if (version < SAME_SINCE) return original;
    return (options) => {
      const made = original(options);
      if (!isPlain(options)) return made;
      const encode = async (): Promise<EncodedRequest> => {
        const buffer = encodeProduce(options, Date.now());
        return { buf: buffer, buffer };
      };
      return { ...made, request: { ...made.request, encode } };
    };
  };
};

/** Applies the repairs to the loaded kafkajs. Safe to call again. */
export const repairKafkajs = (): void => {
  requireKnownVersion((load('kafkajs/package.json') as { version: string }).version);
  const requestQueue = load('kafkajs/src/network/requestQueue') as { prototype: Record<string, unknown> };
  const consumerGroup = load('kafkajs/src/consumer/consumerGroup') as { prototype: Record<string, unknown> & Joining };
  requestQueue.prototype['scheduleCheckPendingRequests'] = scheduleCheckPendingRequests;
  consumerGroup.prototype['recoverFromOffsetOutOfRange'] = recoverFromOffsetOutOfRange;
  leaveWhenJoinFails(consumerGroup.prototype);
  waitForSync(load('kafkajs/src/protocol/requests/syncGroup') as SyncProtocol);
  writeProduceRequests(load('kafkajs/src/protocol/requests/produce') as ProduceVersions);
};

export type FetchedPartition = {
  partition: number;
  highWatermark: string;
  messages: (KafkaMessage & { isControlRecord?: boolean })[];
};

export type Broker = {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
  connectionPool: { send<T>(protocol: { request: unknown; response: unknown; logResponseError?: boolean }): Promise<T> };
};

export type Cluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  findBroker(node: { nodeId: number }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
};

/**
 * A connection to the cluster that can fetch any offset of any partition. kafkajs has no manual assignment: with its public
 * surface a bounded read needs a group of its own, which costs a join (3 s with a production broker's initial rebalance delay),
 * rights on groups, and a group to delete afterwards.
 */
export const openCluster = (kafka: Kafka): Cluster => {
  const create = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster');
  const open = create && (kafka as unknown as Record<symbol, (options: object) => Cluster>)[create];
  if (!open) throw new PlatformError('CONFIGURATION_INVALID', 'kafkajs does not have the inside that its version promises');
  return open.call(kafka, { metadataMaxAge: 300_000, allowAutoTopicCreation: false });
};

type Encoder = { buffer: Buffer; writeBuffer(bytes: Buffer): Encoder };

export const emptyEncoder = (): Encoder => new (load('kafkajs/src/protocol/encoder') as new () => Encoder)();
