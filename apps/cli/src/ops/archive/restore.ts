import { PlatformError } from '@centralita/contracts';
import { ensureTopics, partitionOf, type EventLog, type LogRecord, type StoredRecord } from '@centralita/event-log';
import type { ObjectStore } from '@centralita/object-store';
import type { ArchiveManifest, Segment } from './manifest.js';
import { differingPartitions } from './run.js';
import { recordsOf } from './segment.js';
import type { OpenedArchive } from './verify.js';

export type RestoreOptions = {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly archive: OpenedArchive;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** Partitions that are filled at the same time. @default 8 */
  readonly concurrency?: number;
};

export type Restored = { readonly records: number; readonly logDigest: string };

/** One append; the log splits it by bytes. */
const AT_ONCE = 500;

/**
 * The record as it can be appended again so that it stands where it stood. Throws RECORD_INVALID, naming it, when it cannot: the port gives a
 * record its partition by its key, and takes headers as text.
 */
export const appendable = (record: StoredRecord, partitions: number): LogRecord => {
  const { topic, partition, offset, key, value } = record;
  const place = `${topic}/${partition}/${offset}`;
  const refuse = (what: string): never => {
    throw new PlatformError('RECORD_INVALID', `record ${place} ${what}`, { topic, partition, offset: offset.toString() });
  };
  const textOf = (bytes: Buffer): string => {
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? text : refuse('has a key or header that is no text');
  };
  if (key === null) return refuse('has no key, so nothing says where it belongs');
  const keyText = textOf(key);
  if (partitionOf(keyText, partitions) !== partition) refuse('does not stand where its key belongs');
  return {
    topic,
    key: keyText,
    value,
    headers: Object.fromEntries(Object.entries(record.headers).map(([name, bytes]) => [name, textOf(bytes)])),
  };
};

/**
 * Fills an empty cluster from the archive: topics with their settings, then every record into its partition in its order, so that offsets are
 * the same again; then reads all of it back and compares with the signed roots. The archive must have been verified. Brokers give new
 * timestamps; the times of events are in the events. Throws VERSION_CONFLICT when the cluster is not empty, before anything is written,
 * and LOG_BEHIND_STORE when what was written is not what was sealed.
 */
export const restoreArchive = async (options: RestoreOptions): Promise<Restored> => {
  const { log, archive, replicationFactor, minInsyncReplicas } = options;
  const { newest } = archive;
  await requireEmpty(log, newest);
  const specs = newest.topics.map(({ name, partitions, config }) => ({ name, partitions, replicationFactor, config }));
  await ensureTopics(log.admin, { replicationFactor, minInsyncReplicas }, specs);

  const counts = new Map(newest.topics.map(({ name, partitions }) => [name, partitions]));
  const waiting = [...archive.segments.values()];
  let records = 0;
  const fill = async (): Promise<void> => {
    for (let segments = waiting.shift(); segments; segments = waiting.shift())
      for (const segment of segments) {
        const appended = await appendSegment(options, segment, counts.get(segment.topic) ?? 0);
        records += appended;
      }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? 8 }, fill));

  const differing = await differingPartitions(log, newest.partitions);
  if (differing.length > 0)
    throw new PlatformError('LOG_BEHIND_STORE', `what was restored is not what was sealed: ${differing.join(', ')}`, {
      partitions: differing,
    });
  return { records, logDigest: newest.logDigest };
};

const requireEmpty = async (log: EventLog, { topics }: ArchiveManifest): Promise<void> => {
  const existing = await log.admin.describeTopics(topics.map(({ name }) => name));
  const used: string[] = [];
  for (const { name } of existing) if ([...(await log.admin.endOffsets(name)).values()].some((end) => end > 0n)) used.push(name);
  if (used.length > 0)
    throw new PlatformError('VERSION_CONFLICT', `this cluster is not empty: ${used.join(', ')} holds records already`, {
      topics: used,
    });
};

const appendSegment = async ({ log, store }: RestoreOptions, { key }: Segment, partitions: number): Promise<number> => {
  const object = await store.get(key);
  if (object === null) throw new PlatformError('RECORD_INVALID', `segment ${key} is missing`, { key });
  let batch: LogRecord[] = [];
  let records = 0;
  const append = async (): Promise<void> => {
    if (batch.length > 0) await log.append(batch);
    records += batch.length;
    batch = [];
  };
  for await (const { record } of recordsOf(key, object)) {
    batch.push(appendable(record, partitions));
    if (batch.length >= AT_ONCE) await append();
  }
  await append();
  return records;
};
