import kafkajs from 'kafkajs';

const choose = kafkajs.Partitioners.DefaultPartitioner();

// The partitioner uses only how many there are when a record has a key.
const anyPartition = { partitionErrorCode: 0, partitionId: 0, leader: 0, replicas: [], isr: [] };
const metadataOf = new Map<number, (typeof anyPartition)[]>();

/**
 * Partition of a key: murmur2 as every Kafka client computes it (the Java default). It must never change: the key is the unit of
 * order, and the count of partitions is frozen when a topic is made.
 */
export const partitionOf = (key: string | Buffer, partitions: number): number => {
  let partitionMetadata = metadataOf.get(partitions);
  if (!partitionMetadata) {
    partitionMetadata = Array.from({ length: partitions }, () => anyPartition);
    metadataOf.set(partitions, partitionMetadata);
  }
  return choose({ topic: '', partitionMetadata, message: { key, value: null } });
};
