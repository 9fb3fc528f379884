import { describe, expect, it } from '@jest/globals';
import { describeEventLogConformance } from './conformance/conformance.spec.js';
import { createMemoryLog } from './memory-log.js';
import { partitionOf } from './partitioner.js';

describe('the partitioner', () => {
  it('agrees with the Java client', () => {
    // Values of org.apache.kafka.common.utils.Utils.murmur2, masked to a positive number, modulo 12.
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ];
    for (const [key, hash] of known) expect(partitionOf(key, 12)).toBe((hash & 0x7fffffff) % 12);
  });
});

describe('the log in memory', () => {
  it('knows the platform topics, refuses others and fails on demand without storing', async () => {
    const log = createMemoryLog();
    await expect(log.append([{ topic: 'nowhere', key: 'k', value: null }])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
    log.failAppends('LOG_UNAVAILABLE');
    const record = { topic: 'wa.inbound.v1', key: 'k', value: Buffer.from('v') };
    await expect(log.append([record])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true });
    expect(log.records('wa.inbound.v1')).toEqual([]);
    await log.append([record]);
    expect(log.records('wa.inbound.v1')).toHaveLength(1);
    await log.close();
    await expect(log.append([record])).rejects.toMatchObject({ code: 'DRAINING' });
  });
});

describeEventLogConformance('memory', () => createMemoryLog({ topics: [] }));
