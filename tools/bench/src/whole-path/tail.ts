import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';

export type Seen = { readonly topic: string; readonly partition: number; readonly offset: bigint; readonly value: Buffer };

/**
 * Tells of every record of these topics from the first on. It stands for the live stream that tells screens where to look: agents of the
 * bench act when a record is on the log.
 */
export class Tail {
  readonly #consumer;

  constructor(brokers: readonly string[]) {
    const kafka = new Kafka({ clientId: 'bench-tail', brokers: [...brokers], logLevel: logLevel.ERROR });
    this.#consumer = kafka.consumer({ groupId: `bench-tail-${randomUUID()}`, maxWaitTimeInMs: 100 });
  }

  async start(topics: readonly string[], onRecord: (seen: Seen) => void): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        for (const { offset, value } of messages)
          if (value !== null) onRecord({ topic, partition, offset: BigInt(offset), value });
      },
    });
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
  }
}
