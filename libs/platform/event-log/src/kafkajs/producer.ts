import kafkajs, { type Message, type ProducerBatch, type RecordMetadata } from 'kafkajs';
import type { PlacedRecord, Producer } from '../driver/appender.js';

/** The part of a kafkajs producer that is used, so that its faults can be played in tests. */
export type KafkajsProducer = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
};

export const producerOf = (producer: KafkajsProducer, compression: 'none' | 'gzip'): Producer => ({
  connect: () => producer.connect(),
  disconnect: () => producer.disconnect(),
  send: async (records) => {
    const acknowledged = await producer.sendBatch(batchOf(records, compression));
    return acknowledged.map(({ topicName, partition, baseOffset }) => ({
      topic: topicName,
      partition,
      offset: baseOffset === undefined || baseOffset.startsWith('-') ? null : BigInt(baseOffset),
    }));
  },
});

const batchOf = (request: readonly PlacedRecord[], compression: 'none' | 'gzip'): ProducerBatch => {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers } of request) {
    const message: Message = { key, value, partition, ...(headers && { headers: { ...headers } }) };
    const messages = topics.get(topic);
    if (messages) messages.push(message);
    else topics.set(topic, [message]);
  }
  return {
    acks: -1,
    timeout: 15_000,
    compression: compression === 'gzip' ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None,
    topicMessages: [...topics].map(([topic, messages]) => ({ topic, messages })),
  };
};
