import { PlatformProcesses } from '@centralita/contracts';
import type { Scenario } from '../scenario.js';

/** Every process is killed without warning while all of them work, in an order of the seed's choice. */
export const kills: Scenario = {
  name: 'kill -9 of every role',
  what: 'every process ends at an arbitrary moment and is started again',
  customers: 40,
  bounded: false,
  faults: async ({ fleet }, random, print) => {
    const running = new Set(fleet.names());
    for (const role of random.shuffle(PlatformProcesses.filter((name) => running.has(name)))) {
      await fleet.kill(role);
      print(`${role} was killed and is back`);
    }
  },
};
