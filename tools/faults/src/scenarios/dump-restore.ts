import { observed } from '../collect/instruments.js';
import { dumpDatabase, pointAt, restoreDatabase, rolesOf } from '../harness/dump.js';
import { untilEvents } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

/**
 * A service moves to another database server: transaction ids, table numbers and places on disk begin anew there. Whoever takes his
 * position from one of them loses or doubles something now.
 */
export const dumpRestore: Scenario = {
  name: 'dump and restore',
  what: 'two services are stopped one after the other, their databases dumped and restored into new clusters, and started on these',
  customers: 40,
  bounded: false,
  faults: async (stack, random, print) => {
    const { context, fleet } = stack;
    for (const database of random.shuffle([...observed]).slice(0, 2)) {
      await untilEvents(context, 'conversation', random.integer(1, 200));
      // The first effect of a service may come late on a busy machine, and an empty dump would show nothing.
      await untilEvents(context, database, 1);
      await Promise.all(rolesOf(database).map((role) => fleet.hold(role)));
      const dump = await dumpDatabase(stack, database);
      try {
        const cluster = await stack.startPostgres();
        const urls = await restoreDatabase(stack, dump, { adminUrl: cluster.url, name: database });
        pointAt(stack, database, urls);
      } finally {
        await dump.remove();
      }
      await Promise.all(rolesOf(database).map((role) => fleet.release(role)));
      print(`${database} goes on in another cluster, with ${dump.rows} rows of ${dump.tables.length} tables`);
    }
  },
};
