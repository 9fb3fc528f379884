import { randomUUID } from 'node:crypto';
import { createTestTopics, testBrokers, until } from '@centralita/testing-engines';
import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { openClient } from '../kafkajs/client.js';
import { openCluster, type Cluster } from '../kafkajs/internals.js';
import { LogDrivers, openEventLog } from '../open.js';
import type { LogLogger } from '../port.js';

const { AssignerProtocol } = kafkajs;
const silent: LogLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

type Coordinators = Cluster & {
  findGroupCoordinator(group: { groupId: string }): Promise<{ joinGroup(request: object): Promise<{ generationId: number }> }>;
};

/** Asks to join as a process does that is killed before it hears the answer; resolves when it would have heard it. */
const ghost = async (groupId: string, topic: string, sessionTimeout: number): Promise<{ joined: Promise<number> }> => {
  const cluster = openCluster(openClient({ brokers: testBrokers(), clientId: 'ghost', logger: silent })) as Coordinators;
  await cluster.connect();
  const coordinator = await cluster.findGroupCoordinator({ groupId });
  const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [topic], userData: Buffer.alloc(0) });
  const joined = coordinator
    .joinGroup({
      groupId,
      sessionTimeout,
      rebalanceTimeout: 60_000,
      groupProtocols: [{ name: 'RoundRobinAssigner', metadata }],
    })
    .then(({ generationId }) => generationId)
    .finally(() => cluster.disconnect());
  return { joined };
};

describe('a group that is led by a member that died while it joined', () => {
  it.concurrent.each(LogDrivers)(
    'is waited for until the session of the dead is over, by one member that stays one, over %s',
    async (driver) => {
      const { topic } = await createTestTopics(['topic']);
      const groupId = randomUUID();
      // given one that is dead and in, one that will lead because it asked next, and asks no more
      await (
        await ghost(groupId, topic, 6000)
      ).joined;
      const leader = await ghost(groupId, topic, 20_000);
      const told: string[] = [];
      const note = (_: object, message: string): void => void told.push(message);
      const log = await openEventLog({
        driver,
        brokers: testBrokers(),
        clientId: 'living',
        logger: { debug: note, info: note, warn: note, error: note },
      });
      const applied: string[] = [];
      const crashes: Error[] = [];
      try {
        // when a living member comes
        const subscription = await log.subscribe({
          groupId,
          topics: [topic],
          startAt: async () => new Map(),
          onBatch: async ({ records }) => void applied.push(...records.map(({ value }) => String(value))),
          onCrash: (error) => void crashes.push(error),
        });
        await leader.joined;
        await log.append([{ topic, key: 'k', value: Buffer.from('after') }]);
        await until(() => applied.includes('after'), { timeoutMs: 30_000, describe: () => told.join('; ') });

        // then it has not come back as somebody else
        expect(subscription.assigned()).toHaveLength(1);
        expect(told.filter((message) => message === 'consumer will join again')).toEqual([]);
        expect(crashes).toEqual([]);
      } finally {
        await log.close();
      }
    },
    120_000,
  );
});
