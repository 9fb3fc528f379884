import { setTimeout as sleep } from 'node:timers/promises';
import { initProducerIdV4, NumericMap, produceV9, type Broker, type MessageRecord } from '@platformatic/kafka';
import type { Acknowledged, PlacedRecord, Producer } from '../driver/appender.js';
import { isProducerLost, protocolCodeOf, toPlatformError } from '../driver/errors.js';
import { PATIENCE } from '../driver/options.js';
import { backoffMs } from '../failures.js';
import { partitionKey, type LogLogger, type TopicPartition } from '../port.js';
import { answerOf, protocolError } from './answers.js';
import type { Directory } from './directory.js';
import type { Wire } from './wire.js';

const ALL = -1;
/** How long the leader waits for the replicas. */
const ACKS_MS = 10_000;
/** For the wire: longer than the leader waits, so that its answer is heard. */
export const PRODUCE_MS = 15_000;
const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;
/** Tries after which a topic that was there is believed to be gone, about 2 s in all: not every broker knows a new one at once. */
const SURE_AFTER = 6;

export type ProducerDeps = {
  readonly directory: Pick<Directory, 'ask' | 'existing' | 'known'>;
  readonly wire: Pick<Wire, 'send' | 'close'>;
  readonly compression: 'none' | 'gzip';
  readonly logger: LogLogger;
  /** Tries before a send gives up. */
  readonly tries: number;
};

/** What goes to one partition, under the same sequence numbers at every try. */
type Batch = TopicPartition & { readonly messages: readonly MessageRecord[]; readonly sequence: number };

/** What the leader of a partition said; `offset` of the first record, null when it has none to tell. */
type Answer = { readonly code: number; readonly offset: bigint | null };

const messageOf = ({ topic, partition, key, value, headers }: PlacedRecord): MessageRecord => ({
  topic,
  partition,
  ...(key !== null && { key: Buffer.from(key) }),
  // A null value is a record too; the client writes it, its type does not say so.
  value: value as Buffer,
  ...(headers && {
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  }),
});

/**
 * An idempotent producer over the requests of the client, one request to each leader, every partition judged by its own answer. The
 * client's own `Producer` groups partitions by leader once and repeats a group as a whole at the new leader of the first of them, which
 * cannot succeed when they move to different brokers; and after a failure it begins under a new id, so that what was stored is stored
 * again.
 */
export class IdempotentProducer implements Producer {
  readonly #deps: ProducerDeps;
  readonly #sequences = new Map<string, number>();
  #id: { producerId: bigint; producerEpoch: number } | null = null;

  constructor(deps: ProducerDeps) {
    this.#deps = deps;
  }

  async connect(): Promise<void> {
    await this.#persist(async () => {
      const { producerId, producerEpoch } = await this.#deps.directory.ask(initProducerIdV4.api, null, ACKS_MS, -1n, -1);
      this.#id = { producerId, producerEpoch };
      return true;
    });
  }

  async disconnect(): Promise<void> {
    await this.#deps.wire.close();
  }

  async send(records: readonly PlacedRecord[]): Promise<readonly Acknowledged[]> {
    const batches = [...Map.groupBy(records, ({ topic, partition }) => partitionKey(topic, partition))].map(
      ([key, own]): Batch => ({
        topic: own[0]?.topic as string,
        partition: own[0]?.partition as number,
        messages: own.map(messageOf),
        sequence: this.#sequences.get(key) ?? 0,
      }),
    );
    const stored: Acknowledged[] = [];
    let pending: readonly Batch[] = batches;
    await this.#persist(async (attempt) => {
      const answers = await this.#round(pending, attempt > 0);
      const failed: Error[] = [];
      pending = pending.filter((batch) => {
        const key = partitionKey(batch.topic, batch.partition);
        const answer = answers.get(key);
        const code =
          answer instanceof Error
            ? answer
            : (answer?.code ?? (this.#deps.directory.known(batch.topic) ? LEADER_NOT_AVAILABLE : UNKNOWN_TOPIC));
        if (code === 0) {
          this.#sequences.set(key, batch.sequence + batch.messages.length);
          stored.push({
            topic: batch.topic,
            partition: batch.partition,
            offset: answer instanceof Error ? null : (answer?.offset ?? null),
          });
          return false;
        }
        failed.push(code instanceof Error ? code : protocolError(code));
        return true;
      });
      const [first] = failed;
      if (first) throw failed.find((error) => !isPassing(error, attempt)) ?? first;
      return true;
    }).catch((error: unknown) => {
      // What was stored is told, so that it is not stored again under another producer's numbers.
      if (stored.length === 0) throw error;
    });
    return stored;
  }

  /** One try of everything that is pending: the answer of each partition, or what went wrong on the way. */
  async #round(pending: readonly Batch[], refresh: boolean): Promise<ReadonlyMap<string, Answer | Error>> {
    const answers = new Map<string, Answer | Error>();
    const topics = [...new Set(pending.map(({ topic }) => topic))];
    if (refresh || topics.some((topic) => !this.#deps.directory.known(topic))) await this.#deps.directory.existing(topics);
    const led = Map.groupBy(pending, ({ topic, partition }) => this.#deps.directory.known(topic)?.leaders[partition]?.broker);
    await Promise.all(
      [...led].map(async ([broker, own]) => {
        if (!broker) return;
        try {
          for (const [key, answer] of await this.#produce(broker, own)) answers.set(key, answer);
        } catch (error) {
          const cause = error instanceof Error ? error : new Error(String(error));
          for (const { topic, partition } of own) answers.set(partitionKey(topic, partition), cause);
        }
      }),
    );
    return answers;
  }

  async #produce(broker: Broker, batches: readonly Batch[]): Promise<[string, Answer][]> {
    const sequences = new NumericMap();
    for (const { topic, partition, sequence } of batches) sequences.set(partitionKey(topic, partition), sequence);
    const answer = await answerOf(
      this.#deps.wire.send(
        broker,
        produceV9.api,
        ALL,
        ACKS_MS,
        batches.flatMap(({ messages }) => messages),
        { ...this.#id, compression: this.#deps.compression, sequences },
      ),
    );
    if (typeof answer === 'boolean') return [];
    return answer.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map(({ index, errorCode, baseOffset }): [string, Answer] => [
        partitionKey(name, index),
        { code: errorCode, offset: baseOffset < 0n ? null : baseOffset },
      ]),
    );
  }

  async #persist(work: (attempt: number) => Promise<true>): Promise<void> {
    const { tries, logger } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      try {
        await work(attempt);
        return;
      } catch (error) {
        if (!isPassing(error, attempt) || attempt >= tries) throw error;
        logger.debug({ attempt, ...toPlatformError(error, 'append').details }, 'append is tried again');
        await sleep(backoffMs(attempt, PATIENCE.firstMs, PATIENCE.mostMs));
      }
    }
  }
}

/** True when the same request can succeed later. */
const isPassing = (error: unknown, attempt: number): boolean => {
  const code = protocolCodeOf(error);
  if (code === UNKNOWN_TOPIC) return attempt < SURE_AFTER;
  return !isProducerLost(error) && toPlatformError(error, 'produce').retryable;
};
