// The event store's append against Emmett's, on one Postgres: the same data, the same meta, the same expectation of the version, one
// transaction an append on both sides.
import { randomBytes, randomUUID } from 'node:crypto';
import { createDataSource, Database, EventStore, eventStoreMigrations, type NewEvent } from '@centralita/event-store';
import { createDatabase } from '@centralita/testing-engines';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import type { Bench, Case, Ground, Side, Work } from '../bench.js';
import { TENANT } from './records.js';

const TOPIC = 'conversation.events.v1';

/** One event of a stream that had `version` events before it. */
type Item = { readonly id: string; readonly stream: string; readonly key: string; readonly version: number };
/** What differs between the sides. `append` is given all events of one stream, or of one batch; ids come back when they are committed. */
type Store = {
  append(items: readonly Item[]): Promise<void>;
  /** How many of the ids are in the store. */
  count(ids: readonly string[]): Promise<number>;
  close(): Promise<void>;
};

const newStream = (): { stream: string; key: string } => ({ stream: randomUUID(), key: randomUUID() });

/** One event an append; each writer fills a stream and begins the next. */
const singles = async (store: Store, writers: number, length: number, until: number, done: string[]): Promise<void> => {
  const write = async (): Promise<void> => {
    for (let place = { ...newStream(), version: 0 }; performance.now() < until;) {
      const id = randomUUID();
      await store.append([{ id, ...place }]);
      done.push(id);
      place = place.version + 1 === length ? { ...newStream(), version: 0 } : { ...place, version: place.version + 1 };
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
};

/** Batches over the same keys: the first ones of them get two events each, until the batch is full. */
const batches = async (store: Store, events: number, keys: number, until: number, done: string[]): Promise<void> => {
  const streams = Array.from({ length: keys }, newStream);
  for (let round = 0; performance.now() < until; round += 1) {
    const items = streams.flatMap((place, index): Item[] => {
      const each = index < events - keys ? 2 : 1;
      return Array.from({ length: each }, () => ({ id: randomUUID(), ...place, version: round * each }));
    });
    await store.append(items);
    for (const { id } of items) done.push(id);
  }
};

const sideOf = (store: Store, parameters: Case['parameters']): Side => ({
  prepare: async (seconds): Promise<Work> => {
    const done: string[] = [];
    const { writers = 1, length = 10, events = 0, keys = 0 } = parameters;
    return {
      run: () => {
        const until = performance.now() + seconds * 1_000;
        return events > 0 ? batches(store, events, keys, until, done) : singles(store, writers, length, until, done);
      },
      confirmed: async () => {
        let found = 0;
        for (let from = 0; from < done.length; from += 5_000) found += await store.count(done.slice(from, from + 5_000));
        if (found !== done.length) throw new Error(`${done.length} events were acknowledged, ${found} are there`);
        return found;
      },
    };
  },
  close: () => store.close(),
});

const ourStore = (url: string, connections: number): Store => {
  const db = new Database(createDataSource({ url, poolSize: connections }));
  const store = new EventStore({ service: 'conversation' });
  return {
    append: async (items) => {
      const events = items.map(({ id, stream, key, version }): NewEvent => ({
        id,
        key,
        streamId: stream,
        expectedVersion: version,
        type: 'contact.identified.v1',
        data: { contactId: stream, subjectId: key },
      }));
      await db.withTenant(TENANT, (tx) => store.append(tx, TOPIC, events));
    },
    count: (ids) =>
      db.withTenant(TENANT, async (tx) => {
        const sql = `select count(*) as found from events where tenant_id = $1 and event_id = any($2)`;
        const [row] = await tx.query<{ found: string }>(sql, [TENANT, ids]);
        return Number(row?.found);
      }),
    close: () => db.close(),
  };
};

/** Emmett appends to one stream at a time: a batch over many is as many appends, side by side on as many connections as serve it best. */
const emmettStore = (url: string, connections: number): Store => {
  const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 600_000 });
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration: 'None' }, connectionOptions: { pool, pooled: true } });
  const one = async (items: readonly Item[]): Promise<void> => {
    const [first] = items;
    if (first === undefined) return;
    const events = items.map(({ id, stream, key }) => ({
      type: 'contact.identified.v1',
      data: { contactId: stream, subjectId: key },
      // The names and lengths that our meta has. Emmett takes the id from here, where it is given.
      metadata: {
        messageId: id,
        source: '/centralita/conversation',
        time: new Date().toISOString(),
        correlationId: id,
        causationId: null,
      },
    }));
    await store.appendToStream(`contact-${first.stream}`, events, { expectedStreamVersion: BigInt(first.version) });
  };
  return {
    append: async (items) => {
      const streams = new Map<string, Item[]>();
      for (const item of items) streams.set(item.stream, [...(streams.get(item.stream) ?? []), item]);
      await Promise.all([...streams.values()].map(one));
    },
    count: async (ids) => {
      const sql = `select count(*) as found from emt_messages where message_id = any($1)`;
      const { rows } = await pool.query<{ found: string }>(sql, [ids]);
      return Number(rows[0]?.found);
    },
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
};

const connectionsOf = ({ writers = 1, events = 0 }: Case['parameters']): number => (events > 0 ? 8 : writers);

const single = (writers: number, length: number): Case => ({
  name: `${writers} writer${writers === 1 ? '' : 's'}, streams of ${length}`,
  goal: 1,
  parameters: { writers, length },
});

export const p4: Bench = {
  id: 'P4',
  what: 'append to the event store, one event at a time and 500 over 300 keys',
  baseline: '@event-driven-io/emmett-postgresql 0.42.0 on the same Postgres',
  engines: ['postgres'],
  cases: [
    ...[1, 8, 32].flatMap((writers) => [10, 1_000].map((length) => single(writers, length))),
    { name: '500 events over 300 keys at once', goal: 1.5, parameters: { events: 500, keys: 300 } },
  ],
  setUp: async ({ databaseUrl }: Ground) => {
    const made = async (name: string): Promise<{ ownerUrl: string; appUrl: string }> =>
      createDatabase(databaseUrl, {
        name: `${name}_${randomBytes(4).toString('hex')}`,
        password: randomBytes(12).toString('hex'),
      });
    const [ours, theirs] = [await made('bench_ours'), await made('bench_emmett')];
    const owner = new Database(createDataSource({ url: ours.ownerUrl, poolSize: 1, migrations: eventStoreMigrations }));
    await owner.migrate();
    await owner.close();
    const emmett = getPostgreSQLEventStore(theirs.ownerUrl);
    await emmett.schema.migrate();
    await emmett.close();
    return { ours: ours.appUrl, theirs: theirs.ownerUrl };
  },
  ours: async ({ made }, parameters) => sideOf(ourStore(made['ours'] ?? '', connectionsOf(parameters)), parameters),
  theirs: async ({ made }, parameters) => sideOf(emmettStore(made['theirs'] ?? '', connectionsOf(parameters)), parameters),
};
