// The whole path, from a signed webhook to the last leaf of the ledger: all processes on all cores, with the engines and the outside world.
import type { Bench } from '../bench.js';
import { ourSide } from '../whole-path/our-side.js';
import { theirSide } from '../whole-path/their-side.js';

export const p2: Bench = {
  id: 'P2',
  what: 'the whole path: fold, routing, a reply with three statuses and a recorded read for every second message, usage, ledger',
  baseline: 'Nest ServerKafka (eachMessage) and one repository.save for each thing that happens, in three processes',
  engines: ['postgres', 'kafka'],
  pinned: false,
  cases: [
    {
      name: 'webhooks of 100, conversations of four messages',
      goal: 10,
      leastPerSecond: 1_000,
      parameters: { conversations: 1_000, messagesEach: 4, items: 100, connections: 4, underWay: 1_000 },
    },
  ],
  setUp: async () => ({}),
  ours: ourSide,
  theirs: theirSide,
};
