import type { Scenario } from '../scenario.js';

const roles = [
  'ingest-webhook',
  'ingest-media',
  'ingest-sender',
  'conversation',
  'routing',
  'billing',
  'audit-log',
  'gateway',
] as const;

/** Every process is killed without warning while all of them work, in an order of the seed's choice. */
export const kills: Scenario = {
  name: 'kill -9 of every role',
  what: 'every process ends at an arbitrary moment and is started again',
  customers: 40,
  bounded: false,
  faults: async ({ fleet }, random, print) => {
    for (const role of random.shuffle([...roles])) {
      await fleet.kill(role);
      print(`${role} was killed and is back`);
    }
  },
};
