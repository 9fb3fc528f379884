import type { Scenario } from '../scenario.js';

/** The provider promises at least once, in no order: each webhook comes again twice after it was answered, after later ones. */
export const redeliveries: Scenario = {
  name: 'redeliveries',
  what: 'every webhook is delivered three times, in shuffled order; each item has its effect once',
  customers: 24,
  settings: { simulator: { SIMULATOR_REDELIVERIES: '2' } },
  bounded: false,
  faults: () => Promise.resolve(),
};
