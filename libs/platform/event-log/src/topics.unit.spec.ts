import { describe, expect, it } from '@jest/globals';
import { Topics } from '@centralita/contracts';
import { createMemoryLog } from './memory-log.js';
import type { TopicSpec } from './port.js';
import { ensureTopics, topicSpecs } from './topics.js';

const options = { replicationFactor: 3, minInsyncReplicas: 2 };
const specNamed = (name: string): TopicSpec => topicSpecs.find((spec) => spec.name === name) ?? topicSpecs[0]!;

describe('the topics', () => {
  it('are the catalogue, twelve partitions each, kept for ever, never compacted', () => {
    expect(topicSpecs.map(({ name }) => name)).toEqual([...Topics]);
    for (const { partitions, config } of topicSpecs) {
      expect(partitions).toBe(12);
      expect(config).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' });
    }
  });

  it('are made once, and are right the second time', async () => {
    const { admin } = createMemoryLog({ topics: [] });
    await ensureTopics(admin, options);
    await ensureTopics(admin, options);
    const described = await admin.describeTopics(Topics);
    expect(described).toHaveLength(Topics.length);
    expect(described.every(({ partitions, config }) => partitions === 12 && config['min.insync.replicas'] === '2')).toBe(true);
    await expect(ensureTopics(admin, { ...options, minInsyncReplicas: 1 })).resolves.toBeUndefined();
  });

  it('are refused, with every difference, when they would lose order, records or safety', async () => {
    const { admin } = createMemoryLog({
      topics: [
        { ...specNamed('wa.inbound.v1'), partitions: 6 },
        {
          ...specNamed('wa.outbound.v1'),
          config: { ...specNamed('wa.outbound.v1').config, 'retention.ms': '604800000', 'min.insync.replicas': '1' },
        },
      ],
    });
    await expect(ensureTopics(admin, options)).rejects.toMatchObject({
      code: 'TOPIC_MISMATCH',
      retryable: false,
      details: {
        differences: [
          'wa.inbound.v1 has 6 partitions, not 12',
          'wa.inbound.v1 has min.insync.replicas=unset, not 2',
          'wa.outbound.v1 has retention.ms=604800000, not -1',
          'wa.outbound.v1 has min.insync.replicas=1, not 2',
        ],
      },
    });
  });

  it('can have more partitions, chosen at installation and kept', async () => {
    const { admin } = createMemoryLog({ topics: [] });
    await ensureTopics(admin, { ...options, partitions: 48 });
    await expect(ensureTopics(admin, options)).rejects.toMatchObject({ code: 'TOPIC_MISMATCH' });
  });
});
