import { loadDump, openEventLog, type StoredRecord } from '@centralita/event-log';
import { inputTopics } from './fold.js';

/** A record as it was read. `leaf` is the hash of its bytes when it is known already; `intact` says whether its line claims the same. */
export type ReadRecord = { readonly record: StoredRecord; readonly leaf?: Buffer; readonly intact: boolean };
type Take = (records: readonly ReadRecord[]) => Promise<void>;

const AT_ONCE = 1_000;

/** Records of a dump, some at a time. Throws RECORD_INVALID, naming the line. */
export const readDump = async (lines: AsyncIterable<string>, take: Take): Promise<void> => {
  let read: ReadRecord[] = [];
  for await (const one of loadDump(lines)) {
    read.push(one);
    if (read.length < AT_ONCE) continue;
    await take(read);
    read = [];
  }
  await take(read);
};

/**
 * Records of the whole log, as far as it goes now. Partitions come together, which is faster, or one after the other, as a dump has
 * them; the fold does not mind, because all that concerns a message has one key. Throws LOG_UNAVAILABLE.
 */
export const readLog = async (brokers: readonly string[], order: 'together' | 'by partition', take: Take): Promise<void> => {
  const log = await openEventLog({ brokers: [...brokers], clientId: 'centralita-replay' });
  try {
    for (const topic of [...inputTopics].sort()) {
      const ranges = [...(await log.admin.endOffsets(topic))]
        .map(([partition, to]) => ({ topic, partition, from: 0n, to }))
        .filter(({ to }) => to > 0n)
        .sort((left, right) => left.partition - right.partition);
      for (const group of order === 'together' ? [ranges] : ranges.map((range) => [range]))
        if (group.length > 0) await log.read(group, (records) => take(records.map((record) => ({ record, intact: true }))));
    }
  } finally {
    await log.close();
  }
};
