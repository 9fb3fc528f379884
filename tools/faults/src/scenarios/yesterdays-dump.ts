import { observed } from '../collect/instruments.js';
import { untilClosed, notReady } from '../harness/closed.js';
import { dumpDatabase, pointAt, restoreDatabase, rolesOf } from '../harness/dump.js';
import { logEnds, untilIdle, writtenBetween } from '../harness/log-ends.js';
import { countEvents, untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/** Services with an event store of their own; what ingest writes stands on the log alone, and its ledger is rebuilt from there. */
const stores = ['conversation', 'routing', 'billing', 'audit_log'] as const;

/**
 * Somebody restores the wrong dump: the log is ahead of the store. Whatever the service decided or promised on that ground would use
 * versions a second time, and be gone with the right data.
 */
export const yesterdaysDump: Scenario = {
  name: 'dump of yesterday',
  what: 'a service comes up on an old dump of its database and must refuse, say so and write nothing, until it gets the right one',
  customers: 40,
  bounded: false,
  faults: async (stack, random, print) => {
    const { context, fleet } = stack;
    const database = random.pick(stores);
    const [role = ''] = rolesOf(database);
    await untilEvents(context, database, random.integer(1, 15));
    const old = await dumpDatabase(stack, database);
    const then = await countEvents(context, database);
    await untilEvents(context, database, then + random.integer(3, 30));
    // Whoever is asked to stop publishes what he has: the log is ahead of the old dump from here on.
    await fleet.hold(role);
    const right = await dumpDatabase(stack, database);
    try {
      pointAt(
        stack,
        database,
        await restoreDatabase(stack, old, { adminUrl: stack.postgres.url, name: `${database}_yesterday` }),
      );
      const before = await logEnds(context);
      await fleet.letGo(role);
      await untilClosed(fleet, role, 'STORE_BEHIND_LOG');
      const others = fleet.names().filter((name) => name !== role && name !== 'simulator' && name !== 'identity');
      const unready = await notReady(fleet, others);
      if (unready.length > 0) throw new Error(`others stopped with ${role}: ${unready.join('; ')}`);
      const going = observed.filter((name) => name !== database);
      await Promise.all(going.map((name) => untilIdle(context, name)));
      print(
        `${role} refuses a dump with ${old.rows} of ${right.rows} rows; ${going.join(', ')} are ready and have done what there is to do`,
      );
      await fleet.hold(role);
      const written = (await writtenBetween(context, before, await logEnds(context))).get(`/centralita/${role}`);
      if (written !== undefined) throw new Error(`${role} published ${written} records from an old dump`);
      pointAt(stack, database, await restoreDatabase(stack, right, { adminUrl: stack.postgres.url, name: `${database}_today` }));
      await fleet.release(role);
      print(`${role} goes on with the right data`);
    } finally {
      await Promise.all([old.remove(), right.remove()]);
    }
  },
};
