import type { KafkaMessage } from 'kafkajs';
import type { StoredRecord } from '../port.js';

const bufferOf = (value: Buffer | string | null | undefined): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value ?? '');

/** A header that stands more than once keeps every value, the later ones under `name NUL index`: a digest must see them all. */
const headersOf = (headers: KafkaMessage['headers']): Record<string, Buffer> => {
  const all: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!Array.isArray(value)) all[name] = bufferOf(value);
    else for (const [index, each] of value.entries()) all[index === 0 ? name : `${name}\0${index}`] = bufferOf(each);
  }
  return all;
};

export const storedRecord = (topic: string, partition: number, message: KafkaMessage): StoredRecord => ({
  topic,
  partition,
  offset: BigInt(message.offset),
  key: message.key,
  value: message.value,
  headers: headersOf(message.headers),
  timestamp: BigInt(message.timestamp),
});
