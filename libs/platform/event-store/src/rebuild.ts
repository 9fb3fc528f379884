import { randomUUID } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import type { EventLog, OffsetRange, StoredRecord, TopicHandler } from '@centralita/event-log';
import { markReplay, setTenant, type Database } from './database.js';
import type { EventStore } from './event-store.js';
import { takeFresh } from './inbox/duplicates.js';
import { byTenant, readIncoming, type Readable, type UpcasterOf } from './inbox/incoming.js';
import { applyEvents } from './inbox/middleware.js';
import { lockGroup } from './inbox/parking.js';
import { laneId, PLATFORM_TENANT } from './lane.js';
import { quoteIdentifier, tenantTable } from './schema/tenant-table.js';
import { toBigInt, type SystemTx } from './types.js';

export type RebuildOptions = {
  /** As the owner of the tables: the application role cannot do this. */
  readonly db: Database;
  readonly log: EventLog;
  readonly store: EventStore;
  /** Name in the event `projection.rebuilt`. */
  readonly projection: string;
  /** Tenant tables in schema public that the handlers write, all of them. */
  readonly tables: readonly string[];
  /** The group that serves: its positions are where the rebuild ends, and what it has parked or skipped is left out. */
  readonly groupId: string;
  /** The same handlers as live, by topic. Their SQL names tables without a schema; they append no events. */
  readonly handlers: ReadonlyMap<string, TopicHandler>;
  readonly upcast?: UpcasterOf;
};

export type Rebuilt = { readonly records: number; readonly events: number; readonly rows: bigint };

type Run = RebuildOptions & {
  readonly id: string;
  readonly schema: string;
  readonly tenants: Set<string>;
};

/** What a transaction replayed; counted once it is committed, because it may be run again. */
type Replayed = { records: number; events: number };

/**
 * Fills a projection again from the log, beside the one that serves, and exchanges the rows in one transaction:
 *
 * 1. empty copies of the tables in a schema of their own
 * 2. replay up to where the group stands, through the handlers of live; live goes on meanwhile
 * 3. under the group's lock: replay the rest, exchange the rows, commit
 *
 * A failure before the commit of 3 leaves the serving tables as they were; the copies are dropped in any case.
 */
export const rebuildProjection = async (options: RebuildOptions): Promise<Rebuilt> => {
  const id = randomUUID();
  const run: Run = {
    ...options,
    id: `rebuild:${id}`,
    schema: `rebuild_${id.replaceAll('-', '')}`,
    tenants: new Set(),
  };
  const { db, log } = options;
  await db.system((tx) => createCopies(tx, run));
  try {
    const done = await db.system((tx) => positions(tx, run));
    const ranges = [...done.values()].filter(({ from, to }) => to > from);
    const total: Replayed = { records: 0, events: 0 };
    const count = ({ records, events }: Replayed): void => {
      total.records += records;
      total.events += events;
    };
    await log.read(ranges, async (records) => count(await db.system((tx) => replay(tx, run, records))));
    const { rows, late } = await db.system(async (tx) => {
      const late: Replayed[] = [];
      await lockGroup(tx, run.groupId, 'alone');
      const rest = [...(await positions(tx, run)).entries()]
        .map(([where, range]): OffsetRange => ({ ...range, from: done.get(where)?.to ?? 0n }))
        .filter(({ from, to }) => to > from);
      await log.read(rest, async (records) => void late.push(await replay(tx, run, records)));
      return { rows: await exchange(tx, run), late };
    });
    late.forEach(count);
    return { ...total, rows };
  } finally {
    await db.system((tx) => cleanUp(tx, run));
  }
};

const positions = async (tx: SystemTx, { groupId, handlers }: Run): Promise<Map<string, OffsetRange>> => {
  const rows = await tx.query<{ topic: string; partition: number; next_offset: string }>(
    `select topic, partition, next_offset from consumer_offset where group_id = $1 and topic = any ($2) order by topic, partition`,
    [groupId, [...handlers.keys()]],
  );
  return new Map(
    rows.map(({ topic, partition, next_offset }) => [
      `${topic}:${partition}`,
      { topic, partition, from: 0n, to: toBigInt(next_offset) },
    ]),
  );
};

const createCopies = async (tx: SystemTx, { schema, tables }: Run): Promise<void> => {
  await tx.query(`create schema ${schema}`);
  for (const table of tables) {
    const [kind] = await tx.query<{ unlogged: boolean }>(
      `select relpersistence = 'u' as unlogged from pg_class where oid = $1::regclass`,
      [`public.${table}`],
    );
    await tx.query(`create ${kind?.unlogged ? 'unlogged ' : ''}table ${schema}.${table} (like public.${table} including all)`);
    for (const statement of tenantTable(`${schema}.${table}`)) await tx.query(statement);
  }
};

const replay = async (tx: SystemTx, run: Run, records: readonly StoredRecord[]): Promise<Replayed> => {
  markReplay(tx, true);
  await tx.query(`set local statement_timeout = 0`);
  await tx.query(`set local search_path = ${run.schema}, public`);
  const runs = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const where = `${record.topic}:${record.partition}`;
    runs.set(where, [...(runs.get(where) ?? []), record]);
  }
  let events = 0;
  for (const group of runs.values()) events += await replayPartition(tx, run, group);
  markReplay(tx, false);
  return { records: records.length, events };
};

const replayPartition = async (tx: SystemTx, run: Run, records: readonly StoredRecord[]): Promise<number> => {
  let events = 0;
  const [{ topic, partition }] = records as [StoredRecord];
  const handler = run.handlers.get(topic);
  if (!handler) throw new PlatformError('CONFIGURATION_INVALID', `no handler for ${topic}`, { topic });
  const incoming = records.map((record) => readIncoming(record, handler.ignored, run.upcast));
  for (const [tenantId, items] of byTenant(incoming)) {
    run.tenants.add(tenantId);
    setTenant(tx, tenantId);
    const out = await tx.query<{ at: string }>(
      `select record_offset as at from parked_record
       where tenant_id = $1 and group_id = $2 and topic = $3 and partition = $4 and record_offset = any ($5) and state <> 'applied'`,
      [tenantId, run.groupId, topic, partition, items.map(({ record }) => record.offset)],
    );
    const leftOut = new Set(out.map(({ at }) => toBigInt(at)));
    const readable = items.filter((item): item is Readable => {
      if (leftOut.has(item.record.offset)) return false;
      if (item.kind !== 'poison') return true;
      const details = { topic, partition, offset: item.record.offset.toString() };
      throw new PlatformError('RECORD_INVALID', 'a record that was applied can no longer be read', details);
    });
    // Holes are where the group has left something out.
    const fresh = await takeFresh(tx, { tenantId, groupId: run.id, topic }, readable, { acceptGaps: true });
    events += await applyEvents(tx, tenantId, fresh.events, handler);
  }
  return events;
};

const exchange = async (tx: SystemTx, run: Run): Promise<bigint> => {
  const { schema, tables, store, projection } = run;
  await tx.query(`set local statement_timeout = 0`);
  await tx.query(`set local search_path = public`);
  let rows = 0n;
  for (const table of tables) {
    const [live, copy] = [`public.${table}`, `${schema}.${table}`];
    const columns = await tx.query<{ name: string; identity: boolean }>(
      `select attname as name, attidentity <> '' as identity from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
      [live],
    );
    const list = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    // The rows of all tenants move at once, so the owner must see them. The exclusive lock of ALTER TABLE lasts until commit: nobody
    // meets the tables in this state.
    for (const one of [live, copy]) await tx.query(`alter table ${one} no force row level security`);
    await tx.query(`truncate ${live}`);
    rows += BigInt(await tx.execute(`insert into ${live} (${list}) overriding system value select ${list} from ${copy}`));
    for (const { name } of columns.filter(({ identity }) => identity))
      await tx.query(
        `select setval(pg_get_serial_sequence($1, $2), coalesce((select max(${quoteIdentifier(name)}) from ${live}), 0) + 1, false)`,
        [live, name],
      );
    await tx.query(`alter table ${live} force row level security`);
  }
  const lane = laneId(PLATFORM_TENANT, store.service, 0);
  setTenant(tx, PLATFORM_TENANT);
  await store.append({ ...tx, tenantId: PLATFORM_TENANT }, 'operations.events.v1', [
    {
      key: lane,
      streamId: lane,
      expectedVersion: 'any',
      type: 'projection.rebuilt.v1',
      data: { service: store.service, projection, rows: rows.toString(), at: new Date().toISOString() },
    },
  ]);
  return rows;
};

const cleanUp = async (tx: SystemTx, { schema, id, tenants }: Run): Promise<void> => {
  await tx.query(`drop schema ${schema} cascade`);
  for (const tenantId of tenants) {
    setTenant(tx, tenantId);
    await tx.execute(`delete from key_watermark where tenant_id = $1 and group_id = $2`, [tenantId, id]);
    await tx.execute(`delete from inbox where tenant_id = $1 and group_id = $2`, [tenantId, id]);
  }
};
