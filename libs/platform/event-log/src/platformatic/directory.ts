import { metadataV12, parseBroker, type API, type Broker } from '@platformatic/kafka';
import type { ClientOptions } from '../driver/options.js';
import { topicUnknown } from '../failures.js';
import { answerOf, protocolError } from './answers.js';
import { Wire } from './wire.js';

export type Leader = { readonly broker: Broker; readonly epoch: number };
export type TopicInfo = { readonly id: string; readonly leaders: readonly (Leader | undefined)[] };

const NONE = 0;
const UNKNOWN_TOPIC = 3;
/** Short, so that a broker that hangs is passed over soon. */
const REQUEST_MS = 5000;

/**
 * What the cluster looks like: its brokers, topics and leaders. Kept until somebody finds it wrong and asks again. Written here and not
 * taken from the client's own classes: those fail as a whole when one topic is unknown or one partition has no leader.
 */
export class Directory {
  readonly #wire: Wire;
  readonly #bootstrap: readonly Broker[];
  #brokers = new Map<number, Broker>();
  readonly #topics = new Map<string, TopicInfo>();
  #clusterId = '';
  #turn = 0;

  constructor(options: ClientOptions) {
    this.#wire = new Wire(options, REQUEST_MS);
    this.#bootstrap = options.brokers.map((broker) => parseBroker(broker));
  }

  /** Asks any broker; after a failure the next call begins with another one. */
  async ask<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    const brokers = [...this.#bootstrap, ...this.#brokers.values()];
    const first = this.#turn % brokers.length;
    try {
      return await this.#wire.sendFirst([...brokers.slice(first), ...brokers.slice(0, first)], api, ...args);
    } catch (error) {
      this.#turn++;
      throw error;
    }
  }

  async clusterId(): Promise<string> {
    if (this.#clusterId === '') await this.refresh([]);
    return this.#clusterId;
  }

  /** Asks the cluster. Throws TOPIC_UNKNOWN. */
  async refresh(names: readonly string[]): Promise<void> {
    const found = await this.existing(names);
    const missing = names.find((name) => !found.has(name));
    if (missing !== undefined) throw topicUnknown(missing);
  }

  /** Asks the cluster which of these topics it has. */
  async existing(names: readonly string[]): Promise<ReadonlyMap<string, TopicInfo>> {
    const answer = await answerOf(this.ask(metadataV12.api, [...names], false));
    this.#clusterId = answer.clusterId ?? '';
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, this.#same(nodeId, host, port)]));
    const found = new Map<string, TopicInfo>();
    for (const { name, errorCode, topicId, partitions } of answer.topics) {
      if (name === null || name === undefined) continue;
      this.#topics.delete(name);
      if (errorCode === UNKNOWN_TOPIC) continue;
      if (errorCode !== NONE) throw protocolError(errorCode);
      const leaders: (Leader | undefined)[] = [];
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
        const broker = this.#brokers.get(leaderId);
        leaders[partitionIndex] = broker && { broker, epoch: leaderEpoch };
      }
      found.set(name, { id: topicId, leaders });
    }
    for (const [name, info] of found) this.#topics.set(name, info);
    return found;
  }

  /** What is known, asking only when nothing is. Throws TOPIC_UNKNOWN. */
  async topic(name: string): Promise<TopicInfo> {
    const known = this.#topics.get(name);
    if (known) return known;
    await this.refresh([name]);
    return this.topic(name);
  }

  /** What is known at this moment; undefined for a topic that was not asked for. */
  known(name: string): TopicInfo | undefined {
    return this.#topics.get(name);
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  /** One object for a broker however often it is heard of: requests are gathered by broker, whichever answer named it. */
  #same(nodeId: number, host: string, port: number): Broker {
    const known = this.#brokers.get(nodeId);
    return known?.host === host && known.port === port ? known : { host, port };
  }
}
