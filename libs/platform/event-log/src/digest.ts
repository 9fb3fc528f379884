import { hash } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import type { EventLog, OffsetRange, StoredRecord, TopicPartition } from './port.js';

/*
 * The log digest: one hash per record, for a Merkle tree per partition, so that a verification names the record that differs.
 *
 * Bytes of a record, all integers big endian, every string and byte string with its length (u32) before it, null as 0xffffffff:
 *   0x00 · tag · topic · partition u32 · [offset u64] · key · value · count of headers u32 · (name · value)…, sorted by name bytes
 * The first byte makes it a leaf hash of RFC 6962, which no inner node can imitate; the tag parts the two kinds of leaves.
 * Timestamps are left out: they are the broker's, and a restore makes others.
 */

const LEAF = 0x00;
const PLACED = 'centralita/log-record/v1';
const CONTENT = 'centralita/log-content/v1';
const NULL = 0xffffffff;

class Encoder {
  readonly #parts: Buffer[] = [Buffer.from([LEAF])];

  bytes(value: Buffer | null): this {
    this.u32(value === null ? NULL : value.length);
    if (value !== null) this.#parts.push(value);
    return this;
  }
  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }
  u32(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeUInt32BE(value);
    this.#parts.push(part);
    return this;
  }
  u64(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigUInt64BE(value);
    this.#parts.push(part);
    return this;
  }
  sha256(): Buffer {
    return hash('sha256', Buffer.concat(this.#parts), 'buffer');
  }
}

const stored = (encoder: Encoder, { key, value, headers }: StoredRecord): Buffer => {
  const sorted = Object.entries(headers)
    .map(([name, bytes]) => [Buffer.from(name, 'utf8'), bytes] as const)
    .sort(([a], [b]) => Buffer.compare(a, b));
  encoder.bytes(key).bytes(value).u32(sorted.length);
  for (const [name, bytes] of sorted) encoder.bytes(name).bytes(bytes);
  return encoder.sha256();
};

/** RFC 6962 leaf hash of a record at its place: topic, partition, offset and the stored bytes. 32 bytes. */
export const recordLeaf = (record: StoredRecord): Buffer =>
  stored(new Encoder().text(PLACED).text(record.topic).u32(record.partition).u64(record.offset), record);

/** The same without the offset: the root over these survives a restore into another cluster. */
export const contentLeaf = (record: StoredRecord): Buffer =>
  stored(new Encoder().text(CONTENT).text(record.topic).u32(record.partition), record);

/** Leaves of one partition from `from` (inclusive) to `to` (exclusive), in offset order: the input of its tree. */
export type PartitionLeaves = TopicPartition & {
  readonly from: bigint;
  readonly to: bigint;
  readonly placed: readonly Buffer[];
  readonly content: readonly Buffer[];
};

/** Gathers the leaves of what is read, partition by partition. Holds 64 bytes a record. */
export class LeafCollector {
  readonly #partitions = new Map<
    string,
    { -readonly [K in keyof PartitionLeaves]: PartitionLeaves[K] } & { placed: Buffer[]; content: Buffer[] }
  >();

  /** Throws OFFSET_OUT_OF_RANGE when a record does not follow the one before it in its partition. */
  add(record: StoredRecord, placed: Buffer = recordLeaf(record)): void {
    const { topic, partition, offset } = record;
    const name = `${topic}:${partition}`;
    let leaves = this.#partitions.get(name);
    if (!leaves) this.#partitions.set(name, (leaves = { topic, partition, from: offset, to: offset, placed: [], content: [] }));
    if (offset !== leaves.to)
      throw new PlatformError('OFFSET_OUT_OF_RANGE', `offset ${offset} of ${name} stands where ${leaves.to} belongs`, {
        topic,
        partition,
        offset: leaves.to.toString(),
      });
    leaves.placed.push(placed);
    leaves.content.push(contentLeaf(record));
    leaves.to = offset + 1n;
  }

  /** Sorted by topic and partition. */
  leaves(): PartitionLeaves[] {
    return [...this.#partitions.values()].sort(byPlace);
  }
}

export const byPlace = (a: TopicPartition, b: TopicPartition): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;

/** Leaves of ranges of the log; a range without records gives none. */
export const readLeaves = async (log: Pick<EventLog, 'read'>, ranges: readonly OffsetRange[]): Promise<PartitionLeaves[]> => {
  const collector = new LeafCollector();
  await log.read(ranges, async (records) => records.forEach((record) => collector.add(record)));
  return collector.leaves();
};
