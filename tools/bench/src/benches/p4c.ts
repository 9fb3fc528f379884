// Append and relay in a store that has a past, against one that has none. Appends go to keys chosen evenly among all: no page is warm
// because yesterday's customers come again. The log is in memory on both sides, so that nothing but the store is compared.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { createMemoryLog, topicSpecs, type EventLog, type LogRecord } from '@centralita/event-log';
import { createDataSource, Database, EventStore, eventStoreMigrations, Relay, type NewEvent } from '@centralita/event-store';
import { createDatabase, dropDatabase, until } from '@centralita/testing-engines';
import pg from 'pg';
import type { Bench, Case, Ground, Side, Work } from '../bench.js';
import { fillStore, placeOf, TOPIC, type Past } from './grown-store.js';
import { TENANT } from './records.js';

const WRITERS = 8;
/** Of a store without a past: as many as seldom meet each other. */
const KEYS_OF_THE_EMPTY = 10_000;
const LIMIT_MS = 120_000;

/** Numbers events of a key after its past. */
class Versions {
  readonly #added = new Map<number, number>();

  constructor(private readonly past: number) {}

  /** The key's stream has this many events; one more is on its way. */
  take(index: number): number {
    const added = this.#added.get(index) ?? 0;
    this.#added.set(index, added + 1);
    return this.past + added;
  }
}

type Open = { readonly ownerUrl: string; readonly appUrl: string; readonly relayUrl: string; readonly adminUrl: string };

const makeStore = async (databaseUrl: string, name: string, past: Past | null): Promise<Open> => {
  const made = await createDatabase(databaseUrl, { name, password: randomBytes(12).toString('hex') });
  const owner = new Database(createDataSource({ url: made.ownerUrl, poolSize: 1, migrations: eventStoreMigrations }));
  await owner.migrate();
  await owner.close();
  if (past !== null) await fillStore(made.adminUrl, past);
  return made;
};

/** What the past takes on the disk. */
const sizeOf = async (databaseUrl: string, name: string): Promise<number> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ bytes: string }>('select pg_database_size($1) as bytes', [name]);
    return Number(rows[0]?.bytes ?? 0) / 1e6;
  } finally {
    await client.end();
  }
};

const sideOf = async ({ databaseUrl }: Ground, past: Past | null): Promise<Side> => {
  const name = `bench_${past === null ? 'empty' : 'grown'}_${randomBytes(4).toString('hex')}`;
  const { appUrl, relayUrl } = await makeStore(databaseUrl, name, past);
  const megabytes = await sizeOf(databaseUrl, name);
  const db = new Database(createDataSource({ url: appUrl, poolSize: WRITERS }));
  const store = new EventStore({ service: 'conversation' });
  let published: LogRecord[] = [];
  const append = async (records: readonly LogRecord[]): Promise<void> => void published.push(...records);
  const log: EventLog = { ...createMemoryLog({ topics: topicSpecs.filter((spec) => spec.name === TOPIC) }), append };
  const relay = new Relay({ url: relayUrl, log, service: 'conversation', topics: [TOPIC], database: db });
  relay.start();
  await until(() => relay.state === 'running', { describe: 'the relay to run' });
  const keys = past?.keys ?? KEYS_OF_THE_EMPTY;
  const versions = new Versions(past?.eventsPerKey ?? 0);
  /** Writers that met on one key would measure waiting for its lock, and would have to know who was first. */
  const busy = new Set<number>();
  const choose = (): number => {
    for (;;) {
      const index = randomInt(keys);
      if (!busy.has(index)) return index;
    }
  };
  const write = async (): Promise<string> => {
    const index = choose();
    busy.add(index);
    const { key, streamId } = placeOf(index);
    const data = { contactId: streamId, subjectId: key };
    const id = randomUUID();
    const expectedVersion = versions.take(index);
    const event: NewEvent = { id, key, streamId, expectedVersion, type: 'contact.identified.v1', data };
    await db.withTenant(TENANT, (tx) => store.append(tx, TOPIC, [event]));
    busy.delete(index);
    return id;
  };
  return {
    prepare: async (seconds): Promise<Work> => {
      const done: string[] = [];
      let tail = 0;
      published = [];
      return {
        run: async () => {
          const end = performance.now() + seconds * 1_000;
          const writer = async (): Promise<void> => {
            while (performance.now() < end) done.push(await write());
          };
          await Promise.all(Array.from({ length: WRITERS }, writer));
          const written = performance.now();
          await until(() => published.length >= done.length, {
            timeoutMs: LIMIT_MS,
            describe: 'the relay to publish what was appended',
          });
          tail = performance.now() - written;
        },
        confirmed: async () => {
          const ids = new Set(published.map(({ value }) => (JSON.parse(value?.toString('utf8') ?? '{}') as { id: string }).id));
          const missing = done.filter((id) => !ids.has(id)).length;
          if (missing > 0 || ids.size !== done.length || published.length !== done.length)
            throw new Error(`${done.length} were appended; ${published.length} records, ${ids.size} ids, ${missing} missing`);
          return done.length;
        },
        figures: () => ({ 'relay behind ms': tail, 'past MB': megabytes }),
      };
    },
    close: async () => {
      await relay.stop();
      await db.close();
      await dropDatabase(databaseUrl, name);
    },
  };
};

/** At most 1.2 times slower: five sixths of the rate. */
const GOAL = 1 / 1.2;

const grown = (name: string, keys: number, eventsPerKey: number, full = false): Case => ({
  name,
  goal: GOAL,
  full,
  parameters: { keys, eventsPerKey },
});

export const p4c: Bench = {
  id: 'P4c',
  what: 'append and relay in a store with a past, eight writers, keys chosen evenly among all',
  baseline: 'the same store without a past, 10,000 keys',
  engines: ['postgres'],
  cases: [
    grown('10^4 keys, 10^5 events', 10_000, 10),
    grown('10^5 keys, 10^6 events', 100_000, 10),
    grown('10^6 keys, 2 * 10^6 events', 1_000_000, 2),
    grown('10^6 keys, 10^7 events', 1_000_000, 10, true),
  ],
  setUp: async () => ({}),
  ours: (ground, { keys = 0, eventsPerKey = 0 }) => sideOf(ground, { keys, eventsPerKey }),
  theirs: (ground) => sideOf(ground, null),
};
