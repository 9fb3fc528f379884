import { crc32c } from '@node-rs/crc32';

/** A message as kafkajs has sorted it by partition. */
export type ProducedMessage = {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly timestamp?: string;
};
export type ProduceRequest = {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** A Long or its digits. */
  readonly producerId?: { toString(): string } | undefined;
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly ProducedMessage[];
    }[];
  }[];
};

const MAGIC = 2;
/** transactional id (null), acks, timeout, count of topics. */
const REQUEST_HEAD = 2 + 2 + 4 + 4;
/** partition, bytes of its batch. */
const PARTITION_HEAD = 4 + 4;
/** Of a batch: offset, length, leader epoch, magic, checksum. */
const UNCHECKED_HEAD = 8 + 4 + 4 + 1 + 4;
/** Of a batch: attributes, last offset, two times, producer id and epoch, sequence, count of records. */
const CHECKED_HEAD = 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4;

/** Uncompressed, in no transaction, stamped by the broker, every header once: all that a ledger writes; the rest is left to kafkajs. */
export const isPlain = ({ compression = 0, transactionalId, topicData }: ProduceRequest): boolean =>
  compression === 0 &&
  (transactionalId === undefined || transactionalId === null) &&
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) =>
      messages.every(
        ({ timestamp, headers }) =>
          timestamp === undefined &&
          (headers === undefined || Object.values(headers).every((value) => typeof value === 'string' || Buffer.isBuffer(value))),
      ),
    ),
  );

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;
const varintSize = (value: number): number => {
  let size = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) size++;
  return size;
};

type Bytes = Buffer | string | null | undefined;
const lengthOf = (bytes: Bytes): number =>
  bytes === null || bytes === undefined ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
const prefixed = (length: number): number => varintSize(length) + Math.max(length, 0);

class Writer {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  int8(value: number): void {
    this.at = this.bytes.writeInt8(value, this.at);
  }
  int16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at);
  }
  int32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at);
  }
  int64(value: bigint): void {
    this.at = this.bytes.writeBigInt64BE(value, this.at);
  }
  varint(value: number): void {
    let rest = zigzag(value);
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }
  string(text: string): void {
    const head = this.at;
    this.at += 2;
    this.at += this.bytes.write(text, this.at);
    this.bytes.writeInt16BE(this.at - head - 2, head);
  }
  /** With its length in front; -1 for none. */
  varbytes(bytes: Bytes, length: number): void {
    this.varint(length);
    if (length <= 0) return;
    if (typeof bytes === 'string') this.bytes.write(bytes, this.at);
    else bytes?.copy(this.bytes, this.at);
    this.at += length;
  }
}

/** Lengths are needed twice: first to know how long the whole is, then in front of each part. */
type Sized = { readonly message: ProducedMessage; readonly key: number; readonly value: number; readonly body: number };

const sized = (message: ProducedMessage, offset: number): Sized => {
  const [key, value] = [lengthOf(message.key), lengthOf(message.value)];
  // One byte each: attributes, and the time, which is that of the batch.
  let body = 2 + varintSize(offset) + prefixed(key) + prefixed(value);
  const names = message.headers === undefined ? [] : Object.keys(message.headers);
  body += varintSize(names.length);
  for (const name of names) body += prefixed(lengthOf(name)) + prefixed(lengthOf(message.headers?.[name] as Bytes));
  return { message, key, value, body };
};

const writeRecord = (to: Writer, { message, key, value, body }: Sized, offset: number): void => {
  to.varint(body);
  to.int8(0);
  to.varint(0);
  to.varint(offset);
  to.varbytes(message.key, key);
  to.varbytes(message.value, value);
  const headers = Object.entries(message.headers ?? {});
  to.varint(headers.length);
  for (const [name, content] of headers) {
    to.varbytes(name, lengthOf(name));
    to.varbytes(content as Bytes, lengthOf(content as Bytes));
  }
};

/**
 * Body of a produce request (versions 3 to 7), byte for byte what kafkajs makes of it, in one buffer of the right size. kafkajs makes
 * several growing buffers for each record and copies each byte four times, and its checksum takes a byte at a time: half of all that
 * the webhook did was that.
 */
export const encodeProduce = (request: ProduceRequest, now: number): Buffer => {
  let size = REQUEST_HEAD;
  const topics = request.topicData.map(({ topic, partitions }) => {
    size += 2 + Buffer.byteLength(topic) + 4;
    return {
      topic,
      partitions: partitions.map(({ partition, firstSequence = 0, messages }) => {
        const records = messages.map(sized);
        const bytes = records.reduce((sum, { body }) => sum + varintSize(body) + body, UNCHECKED_HEAD + CHECKED_HEAD);
        size += PARTITION_HEAD + bytes;
        return { partition, firstSequence, records, bytes };
      }),
    };
  });
  const to = new Writer(Buffer.allocUnsafeSlow(size));
  to.int16(-1);
  to.int16(request.acks);
  to.int32(request.timeout);
  to.int32(topics.length);
  const producerId = BigInt(request.producerId?.toString() ?? '-1');
  for (const { topic, partitions } of topics) {
    to.string(topic);
    to.int32(partitions.length);
    for (const { partition, firstSequence, records, bytes } of partitions) {
      to.int32(partition);
      to.int32(bytes);
      const start = to.at;
      to.int64(0n);
      to.int32(bytes - 8 - 4);
      to.int32(0);
      to.int8(MAGIC);
      to.at += 4;
      to.int16(0);
      to.int32(records.length - 1);
      to.int64(BigInt(now));
      to.int64(BigInt(now));
      to.int64(producerId);
      to.int16(request.producerEpoch ?? 0);
      to.int32(firstSequence);
      to.int32(records.length);
      for (let offset = 0; offset < records.length; offset++) writeRecord(to, records[offset] as Sized, offset);
      const checksum = crc32c(to.bytes.subarray(start + UNCHECKED_HEAD, to.at));
      to.bytes.writeUInt32BE(checksum >>> 0, start + UNCHECKED_HEAD - 4);
    }
  }
  return to.bytes;
};
