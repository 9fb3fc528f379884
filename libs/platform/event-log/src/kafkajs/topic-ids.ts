import { topicUnknown } from '../failures.js';
import { emptyEncoder, type Broker } from './internals.js';

/*
 * Metadata version 12, by hand: the first that tells topic ids apart from names, and newer than what kafkajs speaks (6). Flexible
 * versions have tagged fields and compact strings: https://kafka.apache.org/protocol#The_Messages_Metadata
 */

const METADATA = 3;
const VERSION = 12;

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
};

const compactString = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
};

const NO_TAGS = Buffer.from([0]);

export const encodeMetadataRequest = (names: readonly string[]): Buffer =>
  Buffer.concat([
    NO_TAGS, // ends the request header version 2, which kafkajs writes as version 1
    varint(names.length + 1),
    ...names.map((name) => Buffer.concat([Buffer.alloc(16), compactString(name), NO_TAGS])),
    Buffer.from([0, 0]), // no automatic creation, no authorized operations
    NO_TAGS,
  ]);

class Reader {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.bytes.length) throw new RangeError('metadata response ends early');
    return this.bytes.subarray(this.#at, (this.#at = end));
  }
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.take(1).readUInt8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  compactString(): string | null {
    const length = this.varint();
    return length === 0 ? null : this.take(length - 1).toString();
  }
  tags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.take(this.varint());
    }
  }
  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.varint() - 1) }, item);
  }
}

/** Topic id (UUID) by name; an unknown topic throws TOPIC_UNKNOWN. */
export const decodeMetadataResponse = (bytes: Buffer): Map<string, string> => {
  const reader = new Reader(bytes);
  reader.tags(); // of the response header
  reader.take(4); // throttle time
  reader.array(() => {
    reader.take(4);
    reader.compactString();
    reader.take(4);
    reader.compactString();
    reader.tags();
  });
  reader.compactString(); // cluster id
  reader.take(4); // controller
  const topics = reader.array(() => {
    const error = reader.take(2).readInt16BE();
    const name = reader.compactString() ?? '';
    const id = reader.take(16).toString('hex');
    reader.take(1);
    reader.array(() => {
      reader.take(2 + 4 + 4 + 4);
      for (let list = 0; list < 3; list++) reader.array(() => reader.take(4));
      reader.tags();
    });
    reader.take(4);
    reader.tags();
    return { error, name, id };
  });
  return new Map(
    topics.map(({ error, name, id }) => {
      if (error !== 0) throw topicUnknown(name);
      return [name, id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')];
    }),
  );
};

export const fetchTopicIds = (broker: Broker, names: readonly string[]): Promise<Map<string, string>> =>
  broker.connectionPool.send({
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: 'Metadata',
      encode: async () => emptyEncoder().writeBuffer(encodeMetadataRequest(names)),
    },
    response: {
      decode: async (bytes: Buffer) => decodeMetadataResponse(bytes),
      parse: async (ids: Map<string, string>) => ids,
    },
  });
