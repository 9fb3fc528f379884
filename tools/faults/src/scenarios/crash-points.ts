import type { CrashPoint } from '../harness/crash-point.js';
import type { Scenario } from '../scenario.js';

/** Statements and calls of the platform between which a process can end; held against what really passes through the drivers. */
const appliesOffset = '^\\s*update consumer_offset';
const appends = 'from append_events?\\(';
const publishes = 'relay_published\\(';

type Deadly = { readonly role: string; readonly where: string; readonly point: CrashPoint };

const deadly: readonly Deadly[] = [
  {
    role: 'ingest-webhook',
    where: 'between the log’s acknowledgement and the 200',
    point: { on: 'log', when: 'after', matching: 'wa\\.inbound\\.v1', nth: 2 },
  },
  {
    role: 'conversation',
    where: 'as a relay, between sending and moving the heads',
    point: { on: 'sql', when: 'before', matching: publishes, nth: 2 },
  },
  {
    role: 'routing',
    where: 'as a relay, after moving the heads',
    point: { on: 'sql', when: 'after', matching: publishes, nth: 2 },
  },
  ...['conversation', 'routing', 'billing', 'audit-log', 'ingest-media', 'ingest-sender'].map((role) => ({
    role,
    where: 'between applying a batch and committing it',
    point: { on: 'sql' as const, when: 'after' as const, matching: appliesOffset, nth: 1 },
  })),
  {
    role: 'ingest-sender',
    where: 'between the attempt and the call',
    point: { on: 'log', when: 'after', matching: 'wa\\.outbound\\.v1', nth: 1 },
  },
  {
    role: 'ingest-sender',
    where: 'between the call and its outcome',
    point: { on: 'http', when: 'after', matching: '/messages$', nth: 1 },
  },
  {
    role: 'audit-log',
    where: 'as the sequencer, before the order is stored',
    point: { on: 'sql', when: 'before', matching: appends, nth: 1 },
  },
  {
    role: 'audit-log',
    where: 'as the sequencer, after publishing the order and before moving the heads',
    point: { on: 'log', when: 'after', matching: 'audit\\.sequenced\\.v1', nth: 1 },
  },
  {
    role: 'routing',
    where: 'as the leased writer, with decisions made and not committed',
    point: { on: 'sql', when: 'after', matching: appends, nth: 2 },
  },
];

/** kill -9 between two calls of a process, aimed at each gap where a careless design loses or doubles something. */
export const crashPoints: Scenario = {
  name: 'crash points',
  what: `a process ends at each of ${deadly.length} exact places and is started again`,
  customers: 120,
  arrivalMs: 2_000,
  bounded: false,
  // Roles side by side: the day must still be going on when the last of them dies.
  faults: async ({ fleet }, random, print) => {
    const byRole = Map.groupBy(random.shuffle([...deadly]), ({ role }) => role);
    await Promise.all(
      [...byRole.values()].map(async (ofRole) => {
        for (const { role, where, point } of ofRole) {
          await fleet.dieAt(role, point);
          print(`${role} ended ${where}`);
        }
      }),
    );
  },
};
