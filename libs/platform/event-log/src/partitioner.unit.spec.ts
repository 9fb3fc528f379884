import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { partitionOf } from './partitioner.js';

describe('the partition of a key', () => {
  it('is the one that kafkajs chooses, whatever the key', () => {
    const theirs = kafkajs.Partitioners.DefaultPartitioner();
    const partition = { partitionErrorCode: 0, partitionId: 0, leader: 0, replicas: [], isr: [] };
    const key = fc.oneof(
      fc.uuid(),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 100 }), (one, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, () => partition);
        expect(partitionOf(one, partitions)).toBe(theirs({ topic: '', partitionMetadata, message: { key: one, value: null } }));
      }),
      { numRuns: 2_000 },
    );
  });
});
