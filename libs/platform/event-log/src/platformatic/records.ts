import { IS_CONTROL, IS_TRANSACTIONAL, type KafkaRecord, type RecordsBatch } from '@platformatic/kafka';
import type { StoredRecord, TopicPartition } from '../port.js';

/** Attribute of a batch whose records have the time at which the broker appended them. */
const LOG_APPEND_TIME = 1 << 3;
const EMPTY = Buffer.alloc(0);

/** A header that stands more than once keeps every value, the later ones under `name NUL index`: a digest must see them all. */
const headersOf = ({ headers }: KafkaRecord): Record<string, Buffer> => {
  const all: Record<string, Buffer> = {};
  const seen = new Map<string, number>();
  for (const [name, value] of headers) {
    const text = (name ?? EMPTY).toString();
    const index = seen.get(text) ?? 0;
    seen.set(text, index + 1);
    all[index === 0 ? text : `${text}\0${index}`] = value ?? EMPTY;
  }
  return all;
};

/** Records of fetched batches from an offset on; markers and what a transaction took back are holes. */
export const storedRecords = (
  { topic, partition }: TopicPartition,
  batches: readonly RecordsBatch[],
  from: bigint,
  aborted: ReadonlySet<bigint>,
): StoredRecord[] => {
  const records: StoredRecord[] = [];
  for (const batch of batches) {
    const { firstOffset, firstTimestamp, maxTimestamp, attributes, producerId } = batch;
    if (attributes & IS_CONTROL || (attributes & IS_TRANSACTIONAL && aborted.has(producerId))) continue;
    const appended = attributes & LOG_APPEND_TIME;
    for (const record of batch.records) {
      const offset = firstOffset + BigInt(record.offsetDelta);
      if (offset < from) continue;
      records.push({
        topic,
        partition,
        offset,
        key: record.key,
        value: record.value,
        headers: headersOf(record),
        // The client gives the producer's time in both cases; the broker's stands in the head of the batch alone.
        timestamp: appended ? maxTimestamp : firstTimestamp + record.timestampDelta,
      });
    }
  }
  return records;
};
