import { Topics } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import { caughtUp } from '@centralita/tool-start';
import { minInSync, partitionOf, untilPartition } from '../harness/partitions.js';
import { countEvents, PATIENCE_MS, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** Three brokers, every record on at least two of them: one dies, another one leads, nobody above may notice more than a pause. */
export const leaderKill: Scenario = {
  name: 'leader kill',
  what: 'of three brokers the leader of a partition is killed under load, twice; another one leads, and the dead one comes back',
  // Work must still be going on when the second leader dies.
  customers: 60,
  brokers: 3,
  bounded: false,
  faults: async ({ context, kafka }, random, print) => {
    for (const events of [random.integer(1, 40), random.integer(60, 120)]) {
      const [topic, partition] = [random.pick(Topics), random.integer(0, 11)];
      await untilEvents(context, 'conversation', events);
      const { leader, replicas } = await partitionOf(context, topic, partition);
      const copies = await minInSync(context, topic);
      if (replicas.length !== 3 || copies !== 2)
        throw new Error(
          `${topic} has ${replicas.length} replicas and acknowledges with ${copies} in sync: this is not the fault`,
        );
      const node = kafka.nodes.find(({ id }) => id === leader);
      if (!node) throw new Error(`${topic}/${partition} is led by ${leader}, which is no broker here`);
      node.signal('SIGKILL');
      await node.exited();
      const { leader: successor } = await untilPartition(
        context,
        topic,
        partition,
        `another leader than ${leader}`,
        (found) => found.leader > 0 && found.leader !== leader,
      );
      const before = await countEvents(context, 'conversation');
      // With two of three brokers work goes on; when the day is over, what there was has been done.
      await until(
        async () => {
          const now = await countEvents(context, 'conversation').catch(() => 0);
          return now >= before + 5 || (await caughtUp(context).catch(() => false));
        },
        { timeoutMs: PATIENCE_MS, describe: `work to go on without broker ${leader}` },
      );
      print(`broker ${leader}, which led ${topic}/${partition}, was killed; broker ${successor} leads, and work went on`);
      await node.restart();
      await untilPartition(context, topic, partition, 'three replicas in sync', (found) => found.isr.length === 3);
      print(`broker ${leader} is back and has caught up`);
    }
  },
};
