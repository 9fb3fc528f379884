import { Uuid, type EventData } from '@centralita/contracts';
import type { StoredRecord } from '@centralita/event-log';
import { setTenant } from '../database.js';
import type { EventStore } from '../event-store.js';
import { laneId } from '../lane.js';
import { prepared } from '../prepared.js';
import { toBigInt, type NewEvent, type SystemTx } from '../types.js';
import { byTenant, type Incoming } from './incoming.js';

const lockWith = (lock: string): string => prepared(`select ${lock}(hashtextextended('centralita.parking:' || $1, 0))`);
const LOCK_GROUP = { shared: lockWith('pg_advisory_xact_lock_shared'), alone: lockWith('pg_advisory_xact_lock') };

/**
 * Parking is a fact about (group, key) on all topics, and topics are consumed by different processes. Every batch holds this lock in
 * shared mode while it applies, whoever parks, retries or skips holds it alone: after a key is parked, nothing later of it is
 * applied anywhere. One lock per group, because parking is rare and a lock per key would fill the lock table.
 */
export const lockGroup = async (tx: SystemTx, groupId: string, mode: 'shared' | 'alone'): Promise<void> => {
  await tx.query(LOCK_GROUP[mode], [groupId]);
};

/** Which of these keys are parked. Asked after {@link lockGroup}. */
export const parkedKeys = async (tx: SystemTx, groupId: string, keys: readonly string[]): Promise<Set<string>> => {
  const rows = await tx.query<{ key: string }>(`select key from parked_key where group_id = $1 and key = any ($2)`, [
    groupId,
    [...new Set(keys)],
  ]);
  return new Set(rows.map(({ key }) => key));
};

export type Parking = {
  readonly incoming: Incoming;
  /** null: it only waits behind another record of its key */ readonly code: string | null;
};

/** Neighbours of one tenant together, the order as it was. */
const runsOf = (parkings: readonly Parking[]): Parking[][] => {
  const runs: Parking[][] = [];
  for (const parking of parkings) {
    const run = runs.at(-1);
    if (run && run[0]?.incoming.tenantId === parking.incoming.tenantId) run.push(parking);
    else runs.push([parking]);
  }
  return runs;
};

/**
 * Stores the bytes of records whose key is parked, in order: `seq` is given as they are written, so tenants take turns as they come (a
 * key has two where a record names none). Leaves another tenant set than it found.
 */
export const storeParked = async (tx: SystemTx, groupId: string, parkings: readonly Parking[]): Promise<void> => {
  for (const run of runsOf(parkings)) {
    const [{ incoming: first }] = run as [Parking];
    setTenant(tx, first.tenantId);
    const records = run.map(({ incoming }) => incoming.record);
    const headers = records.map((record) =>
      JSON.stringify(Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, value.toString('base64')]))),
    );
    await tx.execute(
      `insert into parked_record (tenant_id, group_id, topic, partition, record_offset, key, event_id, code, record_key, value, headers, record_time)
       select $1, $2, topic, partition, at, key, event_id, code, record_key, value, headers, record_time
       from unnest($3::text[], $4::int[], $5::bigint[], $6::text[], $7::uuid[], $8::text[], $9::bytea[], $10::bytea[], $11::jsonb[], $12::bigint[])
         with ordinality as u(topic, partition, at, key, event_id, code, record_key, value, headers, record_time, place)
       order by place`,
      [
        first.tenantId,
        groupId,
        records.map(({ topic }) => topic),
        records.map(({ partition }) => partition),
        records.map(({ offset }) => offset),
        run.map(({ incoming }) => incoming.key),
        run.map(({ incoming }) => incoming.eventId),
        run.map(({ code }) => code),
        records.map(({ key }) => key),
        records.map(({ value }) => value),
        headers,
        records.map(({ timestamp }) => timestamp),
      ],
    );
  }
  const known = new Map<string, { tenants: Set<string>; code: string }>();
  for (const { incoming, code } of parkings) {
    const entry = known.get(incoming.key) ?? { tenants: new Set<string>(), code: code ?? 'INTERNAL' };
    entry.tenants.add(incoming.tenantId);
    known.set(incoming.key, entry);
  }
  for (const [key, { tenants, code }] of [...known].sort(([a], [b]) => (a < b ? -1 : 1)))
    await tx.execute(
      `insert into parked_key as p (group_id, key, tenants, code) values ($1, $2, $3::uuid[], $4)
       on conflict (group_id, key) do update
         set tenants = (select array_agg(distinct t) from unnest(p.tenants || excluded.tenants) as t)`,
      [groupId, key, [...tenants], code],
    );
};

type Coordinates = Omit<EventData<'record.skipped.v1'>, 'actorId' | 'at'>;

/** The record key if it is an id: an unreadable record may carry anything there, and these events are for ever. */
const safeKey = (key: string): string | null => (Uuid.safeParse(key).success ? key : null);

export const coordinatesOf = (groupId: string, { record, key }: Incoming): Coordinates => ({
  group: groupId,
  topic: record.topic,
  partition: record.partition,
  offset: record.offset.toString(),
  recordKey: safeKey(key),
});

type OperationsEvent =
  | { readonly type: 'record.parked.v1'; readonly data: EventData<'record.parked.v1'> }
  | { readonly type: 'record.retried.v1'; readonly data: EventData<'record.retried.v1'> }
  | { readonly type: 'record.skipped.v1'; readonly data: EventData<'record.skipped.v1'> };
export type Operation = { readonly tenantId: string; readonly incoming: Incoming } & OperationsEvent;

/** None for a record that only waits behind another one of its key. */
export const parkedOperation = (groupId: string, { incoming, code }: Parking): Operation[] =>
  code === null
    ? []
    : [
        {
          tenantId: incoming.tenantId,
          incoming,
          type: 'record.parked.v1',
          data: { ...coordinatesOf(groupId, incoming), eventId: incoming.eventId, code, parkedAt: new Date().toISOString() },
        },
      ];

/** Parking, retry and skip are events: a replay must leave out what was left out. Sets the tenants itself. */
export const appendOperations = async (tx: SystemTx, store: EventStore, operations: readonly Operation[]): Promise<void> => {
  for (const [tenantId, group] of byTenant(operations)) {
    setTenant(tx, tenantId);
    const events = group.map(({ incoming, type, data }) => {
      const lane = laneId(tenantId, store.service, incoming.record.partition);
      const { topic, partition, offset } = incoming.record;
      const cause = { topic, partition, offset: offset.toString() };
      return { key: lane, streamId: lane, expectedVersion: 'any', type, data, cause } as NewEvent;
    });
    await store.append({ ...tx, tenantId }, 'operations.events.v1', events);
  }
};

export type ParkedRow = {
  readonly tenantId: string;
  readonly seq: bigint;
  readonly code: string | null;
  readonly record: StoredRecord;
};

/** Parked records of a key in the order in which they came, all tenants of the key. Leaves a tenant set. */
export const readParked = async (
  tx: SystemTx,
  groupId: string,
  key: string,
  tenants: readonly string[],
  limit: number,
): Promise<ParkedRow[]> => {
  const rows: ParkedRow[] = [];
  for (const tenantId of [...tenants].sort()) {
    setTenant(tx, tenantId);
    const found = await tx.query<{
      seq: string;
      code: string | null;
      topic: string;
      partition: number;
      record_offset: string;
      record_key: Buffer | null;
      value: Buffer | null;
      headers: Record<string, string>;
      record_time: string;
    }>(
      `select seq, code, topic, partition, record_offset, record_key, value, headers, record_time from parked_record
       where tenant_id = $1 and group_id = $2 and key = $3 and state = 'parked' order by seq limit $4`,
      [tenantId, groupId, key, limit],
    );
    for (const row of found)
      rows.push({
        tenantId,
        seq: toBigInt(row.seq),
        code: row.code,
        record: {
          topic: row.topic,
          partition: row.partition,
          offset: toBigInt(row.record_offset),
          key: row.record_key,
          value: row.value,
          headers: Object.fromEntries(Object.entries(row.headers).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
          timestamp: toBigInt(row.record_time),
        },
      });
  }
  return rows.sort((a, b) => (a.seq < b.seq ? -1 : 1)).slice(0, limit);
};
