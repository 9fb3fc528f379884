import { untilEvents, untilMembers, untilRelays } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** A process stands still (a paused machine, a long swap) past its session and its relay's lease, and wakes up among its successors. */
export const frozenConsumer: Scenario = {
  name: 'frozen consumer and relay',
  what: 'conversation stands still until a second instance has its partitions and its buckets; then it goes on as if nothing had been',
  customers: 24,
  bounded: false,
  faults: async ({ context, fleet }, random, print) => {
    const second = await fleet.startSecond('conversation');
    await untilMembers(context, 'conversation', 2);
    await untilRelays(context, 'conversation', 2);
    // From the seed: how much was done before.
    await untilEvents(context, 'conversation', random.integer(1, 60));
    fleet.signal('conversation', 'SIGSTOP');
    try {
      await Promise.all([untilMembers(context, 'conversation', 1), untilRelays(context, 'conversation', 1)]);
      print(`conversation stands still; ${second} has all partitions and buckets`);
    } finally {
      fleet.signal('conversation', 'SIGCONT');
    }
    await Promise.all([untilMembers(context, 'conversation', 2), untilRelays(context, 'conversation', 2)]);
    print('conversation goes on, beside its successor');
  },
};
