// What exactly-once costs a consumer: the inbox's transaction (position, duplicates, parking) around a projection, against the same
// decoding and the same projection in a bare transaction. One table and one database a side.
import { randomBytes, randomUUID } from 'node:crypto';
import { decodeEvent } from '@centralita/contracts';
import {
  createMemoryLog,
  type ConsumedEvent,
  type EventBatch,
  type MemoryLog,
  type RecordBatch,
  type StoredRecord,
} from '@centralita/event-log';
import {
  createDataSource,
  Database,
  EventStore,
  eventStoreMigrations,
  inboxMiddleware,
  tenantTable,
  type Tx,
} from '@centralita/event-store';
import { createDatabase } from '@centralita/testing-engines';
import type { Bench, Case, Side } from '../bench.js';
import { contactIdentified, newMessageRef, statusChanged, TENANT } from './records.js';

type Batches = { readonly log: MemoryLog; readonly batches: readonly RecordBatch[]; readonly events: number };

/** The records of one partition, cut into batches as a consumer gets them. */
const makeBatches = async ({ events = 0, size = 0, keys = 0, facts = 0 }: Case['parameters']): Promise<Batches> => {
  const topic = facts === 1 ? 'wa.inbound.v1' : 'conversation.events.v1';
  const log = createMemoryLog({ topics: [{ name: topic, partitions: 1, replicationFactor: 1 }] });
  const names = Array.from({ length: keys }, () => randomUUID());
  await log.append(
    Array.from({ length: events }, (_, index) => {
      const key = names[index % keys] as string;
      return facts === 1 ? statusChanged(key, newMessageRef(), 'sent') : contactIdentified(key, Math.floor(index / keys) + 1);
    }),
  );
  const all = log.records(topic);
  const batchOf = (records: readonly StoredRecord[], from: number): RecordBatch => ({
    topic,
    partition: 0,
    records,
    firstOffset: BigInt(from),
    lastOffset: BigInt(from + records.length - 1),
    endOffset: BigInt(all.length),
    heartbeat: async () => undefined,
    signal: new AbortController().signal,
    isStale: () => false,
  });
  const starts = Array.from({ length: Math.ceil(events / size) }, (_, index) => index * size);
  return { log, batches: starts.map((from) => batchOf(all.slice(from, from + size), from)), events };
};

/** One row an event, all of a batch in one statement, marked with the round. */
const project = async (tx: Tx, round: string, events: readonly ConsumedEvent[]): Promise<void> => {
  await tx.execute(
    `insert into projection (tenant_id, event_id, key, happened_at, round)
     select $1, e.id, e.key, e.time, $5 from unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) as e(id, key, time)
     on conflict (tenant_id, event_id) do update set happened_at = excluded.happened_at, round = excluded.round`,
    [TENANT, events.map(({ event }) => event.id), events.map(({ key }) => key), events.map(({ event }) => event.time), round],
  );
};

type Apply = (db: Database, log: MemoryLog, round: string) => (batch: RecordBatch) => Promise<void>;

/** Each round is a consumer group of its own that begins at the first record. */
const withInbox: Apply = (db, log, round) => {
  const store = new EventStore({ service: 'conversation' });
  const inbox = inboxMiddleware({ db, log, store, groupId: round, service: 'conversation' });
  const handle = ({ tx, events }: EventBatch): Promise<void> => project(tx as Tx, round, events);
  return (batch) => inbox(batch, handle, new Set());
};

const bare: Apply = (db, _log, round) => async (batch) => {
  const events = batch.records.map((record): ConsumedEvent => {
    const decoded = decodeEvent(record.value);
    if (!('event' in decoded)) throw new Error(decoded.detail);
    const { topic, partition, offset, key } = record;
    return { event: decoded.event, topic, partition, offset, key: key?.toString('utf8') ?? '' };
  });
  await db.withTenant(TENANT, (tx) => project(tx, round, events));
};

const sideOf = async (url: string, apply: Apply, parameters: Case['parameters']): Promise<Side> => {
  const db = new Database(createDataSource({ url, poolSize: 2 }));
  const { log, batches, events } = await makeBatches(parameters);
  return {
    prepare: async () => {
      const round = randomUUID();
      const one = apply(db, log, round);
      return {
        run: async () => {
          for (const batch of batches) await one(batch);
        },
        confirmed: async () => {
          const count = `select count(*) as found from projection where tenant_id = $1 and round = $2`;
          const [row] = await db.withTenant(TENANT, (tx) => tx.query<{ found: string }>(count, [TENANT, round]));
          if (Number(row?.found) !== events) throw new Error(`of ${events} events ${String(row?.found)} were applied`);
          return events;
        },
      };
    },
    close: () => db.close(),
  };
};

const table = [
  `create table projection (
    tenant_id uuid not null, event_id uuid not null, key uuid not null, happened_at timestamptz not null, round uuid not null,
    primary key (tenant_id, event_id)
  ) with (fillfactor = 70)`,
  ...tenantTable('projection'),
];

export const p4b: Bench = {
  id: 'P4b',
  what: 'a consumer’s transaction with position, duplicates check and projection, batches of 500',
  baseline: 'the same decoding and projection in a transaction without position and duplicates check',
  engines: ['postgres'],
  cases: [
    { name: 'events of services (watermark by key)', goal: 0.7, parameters: { events: 40_000, size: 500, keys: 5_000 } },
    { name: 'inbound facts (ids of nine days)', goal: 0.7, parameters: { events: 40_000, size: 500, keys: 5_000, facts: 1 } },
  ],
  setUp: async ({ databaseUrl }) => {
    const made = async (side: string): Promise<string> => {
      const name = `bench_${side}_${randomBytes(4).toString('hex')}`;
      const { ownerUrl, appUrl } = await createDatabase(databaseUrl, { name, password: randomBytes(12).toString('hex') });
      const owner = new Database(createDataSource({ url: ownerUrl, poolSize: 1, migrations: eventStoreMigrations }));
      await owner.migrate();
      await owner.system(async (tx) => {
        for (const statement of table) await tx.query(statement);
      });
      await owner.close();
      return appUrl;
    };
    return { ours: await made('inbox'), theirs: await made('bare') };
  },
  ours: ({ made }, parameters) => sideOf(made['ours'] ?? '', withInbox, parameters),
  theirs: ({ made }, parameters) => sideOf(made['theirs'] ?? '', bare, parameters),
};
