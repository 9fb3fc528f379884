const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/** MurmurHash2 of 32 bits with the seed of Kafka's Java client. */
const murmur2 = (bytes: Buffer): number => {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  if (length > whole) {
    for (let at = length - 1; at >= whole; at--) hash ^= (bytes[at] ?? 0) << (8 * (at - whole));
    hash = Math.imul(hash, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
};

/**
 * Partition of a key: murmur2 as every Kafka client computes it (the Java default). It must never change: the key is the unit of
 * order, and the count of partitions is frozen when a topic is made. kafkajs computes the same on big integers of 64 bits, ten times as
 * slowly.
 */
export const partitionOf = (key: string | Buffer, partitions: number): number =>
  (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions;
