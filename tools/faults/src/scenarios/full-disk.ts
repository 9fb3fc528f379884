import { until } from '@centralita/testing-engines';
import { SimulatorClient } from '@centralita/tool-start';
import { countEvents, PATIENCE_MS, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** The log cannot take one more record. Nothing may be acknowledged then, so that the provider keeps what it wants to tell. */
export const fullDisk: Scenario = {
  name: 'full disk',
  what: 'the disk of the log fills up under load until the broker gives up; nothing is answered 200 until there is space again',
  customers: 40,
  logDiskMb: 128,
  bounded: false,
  faults: async ({ context, kafka, fleet, logDisk }, random, print) => {
    const [node] = kafka.nodes;
    if (!node || !logDisk) throw new Error('there is no broker with a disk of its own');
    await untilEvents(context, 'conversation', random.integer(1, 60));
    // The rest is filled by what the platform writes.
    const left = random.integer(16, 256) * 1024;
    const filled = await logDisk.fill(left);
    await until(() => !node.running(), {
      timeoutMs: PATIENCE_MS,
      describe: `the broker to give up with ${left} bytes left`,
    });
    const since = new Date().toISOString();
    const simulator = new SimulatorClient(context.simulatorUrl);
    const triesSince = async (): Promise<readonly number[]> =>
      (await simulator.journal()).deliveries.filter(({ from }) => from > since).map(({ status }) => status);
    await until(async () => (await triesSince()).length > 3, {
      timeoutMs: PATIENCE_MS,
      describe: 'the provider to try again while nothing can be stored',
    });
    const tries = await triesSince();
    if (tries.some((status) => status !== 503))
      throw new Error(`without a log the webhook answered ${[...new Set(tries)].join(', ')} and not 503 alone`);
    if (fleet.deaths.length > 0)
      throw new Error(`the full disk ended ${fleet.deaths.map(({ name, how }) => `${name} (${how})`).join(', ')}`);
    const before = await countEvents(context, 'conversation');
    await logDisk.makeSpace();
    await node.restart();
    print(`${filled} bytes filled the disk, ${tries.length} webhooks were answered 503 and none 200; there is space again`);
    await untilEvents(context, 'conversation', before + 1);
  },
};
