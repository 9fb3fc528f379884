import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testBrokers } from '@centralita/testing-engines';
import { LogDrivers, openEventLog } from './open.js';
import type { EventLog } from './port.js';
import { topicProblems, topicSpecs } from './topics.js';

describe.each(LogDrivers)('topics of a real broker, looked at (%s)', (driver) => {
  const suffix = randomBytes(4).toString('hex');
  const named = (name: string): string => `${name}.${suffix}`;
  const kept = topicSpecs[0]?.config ?? {};
  let log: EventLog;
  beforeAll(async () => {
    log = await openEventLog({ driver, brokers: testBrokers(), clientId: 'topics' });
    const make = (name: string, partitions: number, config: Record<string, string>) => ({
      name: named(name),
      partitions,
      replicationFactor: 1,
      config,
    });
    await log.admin.createTopics([
      make('good', 3, kept),
      make('plain', 3, {}),
      make('week', 3, { ...kept, 'retention.ms': '604800000' }),
      make('short', 1, { ...kept, 'retention.bytes': '1048576' }),
      make('compact', 3, { ...kept, 'cleanup.policy': 'compact' }),
    ]);
  });
  afterAll(() => log.close());

  it('are told apart by what they forget, how many partitions they have, and whether they are there', async () => {
    expect(await topicProblems(log.admin, [named('good')])).toEqual([]);
    const names = ['good', 'plain', 'week', 'short', 'compact', 'none'].map(named);
    expect(await topicProblems(log.admin, names)).toEqual([
      // What a broker forgets by its own default is forgotten too.
      `${named('plain')} has retention.ms=604800000, not -1`,
      `${named('week')} has retention.ms=604800000, not -1`,
      `${named('short')} has 1 partitions, not 3 as others have`,
      `${named('short')} has retention.bytes=1048576, not -1`,
      `${named('compact')} has cleanup.policy=compact, not delete`,
      `${named('none')} does not exist`,
    ]);
    expect(await topicProblems(log.admin, [named('good')], 12)).toEqual([`${named('good')} has 3 partitions, not 12`]);
  });
});
