import { untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** The database server dies with every transaction that was open, and recovers from its log. */
export const postgresKill: Scenario = {
  name: 'postgres kill',
  what: 'the database server is killed in the middle of the day, once by -9 and once by SIGQUIT, and started again',
  customers: 24,
  bounded: false,
  faults: async (stack, random, print) => {
    const thresholds = [random.integer(1, 40), random.integer(60, 120)];
    for (const [index, signal] of random.shuffle(['SIGKILL', 'SIGQUIT'] as const).entries()) {
      const events = thresholds[index] ?? 0;
      await untilEvents(stack.context, 'conversation', events);
      await stack.restartPostgres(signal);
      print(`Postgres was ended by ${signal} after ${events} events of conversation and is back`);
    }
  },
};
