import { untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** The only broker dies under load and comes back with what it had acknowledged. */
export const brokerKill: Scenario = {
  name: 'broker kill',
  what: 'the broker is killed in the middle of the day, twice, and started again',
  customers: 24,
  bounded: false,
  faults: async ({ context, kafka }, random, print) => {
    const [node] = kafka.nodes;
    if (!node) throw new Error('there is no broker');
    for (const events of [random.integer(1, 40), random.integer(60, 120)]) {
      await untilEvents(context, 'conversation', events);
      node.signal('SIGKILL');
      await node.exited();
      await node.restart();
      print(`the broker was killed after ${events} events of conversation and is back`);
    }
  },
};
