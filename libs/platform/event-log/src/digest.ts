import { hash } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import { partitionKey, type EventLog, type OffsetRange, type StoredRecord, type TopicPartition } from './port.js';

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

/** Bytes of one leaf, written into memory that the next leaf uses again: a replay hashes every record of the log. */
class LeafWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  begin(tag: string): this {
    this.#length = 0;
    this.#room(1);
    this.#length = this.#bytes.writeUInt8(LEAF, 0);
    return this.text(tag);
  }
  bytes(value: Buffer | null): this {
    this.u32(value === null ? NULL : value.length);
    if (value === null) return this;
    this.#room(value.length);
    this.#length += value.copy(this.#bytes, this.#length);
    return this;
  }
  text(value: string): this {
    const length = Buffer.byteLength(value, 'utf8');
    this.u32(length).#room(length);
    this.#length += this.#bytes.write(value, this.#length, 'utf8');
    return this;
  }
  u32(value: number): this {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
    return this;
  }
  u64(value: bigint): this {
    this.#room(8);
    this.#length = this.#bytes.writeBigUInt64BE(value, this.#length);
    return this;
  }
  sha256(): Buffer {
    return hash('sha256', this.#bytes.subarray(0, this.#length), 'buffer');
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const bigger = Buffer.allocUnsafe(2 * (this.#length + length));
    this.#bytes.copy(bigger, 0, 0, this.#length);
    this.#bytes = bigger;
  }
}

const writer = new LeafWriter();

const sortedNames = (headers: StoredRecord['headers']): string[] => {
  const names = Object.keys(headers);
  return names.length < 2 ? names : names.sort((a, b) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')));
};

const stored = ({ key, value, headers }: StoredRecord): Buffer => {
  const names = sortedNames(headers);
  writer.bytes(key).bytes(value).u32(names.length);
  for (const name of names) writer.text(name).bytes(headers[name] as Buffer);
  return writer.sha256();
};

/** RFC 6962 leaf hash of a record at its place: topic, partition, offset and the stored bytes. 32 bytes. */
export const recordLeaf = (record: StoredRecord): Buffer => {
  writer.begin(PLACED).text(record.topic).u32(record.partition).u64(record.offset);
  return stored(record);
};

/** The same without the offset: the root over these survives a restore into another cluster. */
export const contentLeaf = (record: StoredRecord): Buffer => {
  writer.begin(CONTENT).text(record.topic).u32(record.partition);
  return stored(record);
};

const LEAF_BYTES = 32;

/** Leaves of one partition from `from` (inclusive) to `to` (exclusive), in offset order: the input of its tree. */
export type PartitionLeaves = TopicPartition & {
  readonly from: bigint;
  readonly to: bigint;
  /** 32 bytes a record, one after the other; see {@link leafHashes}. */
  readonly hashes: Buffer;
};

/** The leaf hashes one by one. */
export const leafHashes = ({ hashes }: Pick<PartitionLeaves, 'hashes'>): Buffer[] =>
  Array.from({ length: hashes.length / LEAF_BYTES }, (_, index) => hashes.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES));

/**
 * Gathers the leaves of what is read, partition by partition. Holds 32 bytes a record. By default the leaves are those of records at
 * their places; `contentLeaf` gives the second kind.
 */
export class LeafCollector {
  readonly #partitions = new Map<
    string,
    TopicPartition & { readonly from: bigint; to: bigint; hashes: Buffer; length: number }
  >();

  constructor(private readonly leafOf: (record: StoredRecord) => Buffer = recordLeaf) {}

  /** Throws OFFSET_OUT_OF_RANGE when a record does not follow the one before it in its partition. */
  add(record: StoredRecord, leaf: Buffer = this.leafOf(record)): void {
    const { topic, partition, offset } = record;
    const name = partitionKey(topic, partition);
    let leaves = this.#partitions.get(name);
    if (!leaves) {
      leaves = { topic, partition, from: offset, to: offset, hashes: Buffer.allocUnsafe(64 * LEAF_BYTES), length: 0 };
      this.#partitions.set(name, leaves);
    }
    if (offset !== leaves.to)
      throw new PlatformError('OFFSET_OUT_OF_RANGE', `offset ${offset} of ${name} stands where ${leaves.to} belongs`, {
        topic,
        partition,
        offset: leaves.to.toString(),
      });
    if (leaves.length === leaves.hashes.length) leaves.hashes = Buffer.concat([leaves.hashes], 2 * leaves.length);
    leaves.length += leaf.copy(leaves.hashes, leaves.length);
    leaves.to = offset + 1n;
  }

  /** Sorted by topic and partition. */
  leaves(): PartitionLeaves[] {
    return [...this.#partitions.values()]
      .map(({ topic, partition, from, to, hashes, length }) => ({
        topic,
        partition,
        from,
        to,
        hashes: hashes.subarray(0, length),
      }))
      .sort(byPlace);
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
