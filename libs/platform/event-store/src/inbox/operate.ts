import { PlatformError, Uuid, type EventData } from '@centralita/contracts';
import type { TopicHandler } from '@centralita/event-log';
import { setTenant, type Database } from '../database.js';
import type { EventStore } from '../event-store.js';
import type { SystemTx } from '../types.js';
import { passVersion } from './duplicates.js';
import { readIncoming, type Incoming, type UpcasterOf } from './incoming.js';
import { applyOne } from './middleware.js';
import { operable, type RecordPlace } from './parked-page.js';
import { appendOperations, coordinatesOf, lockGroup, readParked, type Operation, type ParkedRow } from './parking.js';

export type ParkedKey = {
  readonly key: string;
  readonly code: string;
  readonly parkedAt: Date;
  readonly tenants: readonly string[];
};

/** Parked keys of a group, oldest first. */
export const listParked = (db: Database, groupId: string): Promise<ParkedKey[]> =>
  db.system(async (tx) => {
    const rows = await tx.query<{ key: string; code: string; parked_at: Date; tenants: string[] }>(
      `select key, code, parked_at, tenants from parked_key where group_id = $1 order by parked_at, key`,
      [groupId],
    );
    return rows.map(({ key, code, parked_at, tenants }) => ({ key, code, parkedAt: parked_at, tenants }));
  });

/** How many keys of a group are parked, and since when the first of them. */
export const parkedState = (db: Database, groupId: string): Promise<{ keys: number; oldest: Date | null }> =>
  db.system(async (tx) => {
    const [row] = await tx.query<{ keys: string; oldest: Date | null }>(
      `select count(*) as keys, min(parked_at) as oldest from parked_key where group_id = $1`,
      [groupId],
    );
    return { keys: Number(row?.keys ?? 0), oldest: row?.oldest ?? null };
  });

export type OperateOptions = {
  readonly db: Database;
  readonly groupId: string;
  readonly store: EventStore;
  readonly key: string;
  /** Who decided it; stands in the event. */
  readonly actorId: string;
  /** Handlers of all topics of the group, as `KafkaBatchStrategy.handlers()` gives them. */
  readonly handlers: ReadonlyMap<string, TopicHandler>;
  readonly upcast?: UpcasterOf;
  /** Whose operator it is: a key with records of another tenant is not found. Without it, any key of the group. */
  readonly tenantId?: string;
};

/** `blocked`: why the next record failed again, null when the key is free. */
export type Drained = { readonly applied: number; readonly blocked: string | null };

const RECORDS_AT_ONCE = 200;

type Step = { readonly applied: number; readonly blocked: string | null; readonly more: boolean };

/** Applies the parked records of a key again, in order, and frees the key when none is left. Stops at the first that fails again. */
export const retryParked = (options: OperateOptions): Promise<Drained> => drainAll(options);

/**
 * Gives the first parked record of a key up, and applies what waited behind it. With `record`, only when that is the first: whoever
 * decided has seen it, and the same decision sent twice gives up one record. Throws VERSION_CONFLICT when another is the first.
 */
export const skipParked = (options: OperateOptions, record?: RecordPlace): Promise<Drained> =>
  drainAll(options, (tx) => skipFirst(tx, options, record));

/** `before` belongs to the first transaction, so that nobody else comes between a skip and what follows from it. */
const drainAll = async (options: OperateOptions, before?: (tx: SystemTx) => Promise<void>): Promise<Drained> => {
  let applied = 0;
  for (let first = true; ; first = false) {
    const step = await options.db.system(async (tx) => {
      if (first) await before?.(tx);
      return drain(tx, options);
    });
    applied += step.applied;
    if (!step.more) return { applied, blocked: step.blocked };
  }
};

const tenantsOf = async (tx: SystemTx, { groupId, key, tenantId }: OperateOptions): Promise<string[]> => {
  await lockGroup(tx, groupId, 'alone');
  const [row] = await tx.query<{ tenants: string[] }>(
    `select tenants from parked_key where group_id = $1 and key = $2 for update`,
    [groupId, key],
  );
  if (!row || (tenantId !== undefined && !row.tenants.every((tenant) => operable(tenantId).includes(tenant))))
    throw new PlatformError('NOT_FOUND', 'this key is not parked', { groupId });
  return row.tenants;
};

const placeOf = (groupId: string, { tenantId, record }: ParkedRow): unknown[] => [
  tenantId,
  groupId,
  record.topic,
  record.partition,
  record.offset,
];

/** It has had its effect, and its bytes are on the log. A record that was given up stays, so that a rebuild leaves it out as well. */
const forget = async (tx: SystemTx, groupId: string, row: ParkedRow): Promise<void> => {
  setTenant(tx, row.tenantId);
  await tx.execute(
    `delete from parked_record where tenant_id = $1 and group_id = $2 and topic = $3 and partition = $4 and record_offset = $5`,
    placeOf(groupId, row),
  );
};

const decision = ({ groupId, actorId }: OperateOptions, incoming: Incoming): EventData<'record.retried.v1'> => ({
  ...coordinatesOf(groupId, incoming),
  actorId,
  at: new Date().toISOString(),
});

const drain = async (tx: SystemTx, options: OperateOptions): Promise<Step> => {
  const { groupId, key, store, handlers, upcast } = options;
  const tenants = await tenantsOf(tx, options);
  const rows = await readParked(tx, groupId, key, tenants, RECORDS_AT_ONCE);
  const retried: Operation[] = [];
  let [applied, blocked]: [number, string | null] = [0, null];
  for (const row of rows) {
    const handler = handlers.get(row.record.topic);
    if (!handler)
      throw new PlatformError('CONFIGURATION_INVALID', `no handler for ${row.record.topic} here`, { topic: row.record.topic });
    const incoming = readIncoming(row.record, handler.ignored, upcast);
    // Whoever retries has looked: a missing version before the first record is accepted.
    const result = await applyOne(tx, groupId, incoming, handler, { acceptGaps: true });
    if (typeof result === 'string') {
      blocked = result;
      setTenant(tx, row.tenantId);
      await tx.execute(
        `update parked_record set code = $6 where tenant_id = $1 and group_id = $2 and topic = $3 and partition = $4 and record_offset = $5`,
        [...placeOf(groupId, row), result],
      );
      await tx.execute(`update parked_key set code = $3 where group_id = $1 and key = $2`, [groupId, key, result]);
      break;
    }
    applied += 1;
    await forget(tx, groupId, row);
    if (row.code !== null)
      retried.push({ tenantId: incoming.tenantId, incoming, type: 'record.retried.v1', data: decision(options, incoming) });
  }
  const more = blocked === null && rows.length === RECORDS_AT_ONCE;
  if (blocked === null && !more) await tx.execute(`delete from parked_key where group_id = $1 and key = $2`, [groupId, key]);
  await appendOperations(tx, store, retried);
  return { applied, blocked, more };
};

const isAt = ({ topic, partition, offset }: RecordPlace, place: RecordPlace): boolean =>
  topic === place.topic && partition === place.partition && offset === place.offset;

const skipFirst = async (tx: SystemTx, options: OperateOptions, expected: RecordPlace | undefined): Promise<void> => {
  const { groupId, key, store, handlers, upcast } = options;
  const [row] = await readParked(tx, groupId, key, await tenantsOf(tx, options), 1);
  if (expected && !(row && isAt(row.record, expected)))
    throw new PlatformError('VERSION_CONFLICT', 'another record of this key is the first now', { groupId });
  if (!row) return;
  const { record, tenantId } = row;
  const incoming = readIncoming(record, handlers.get(record.topic)?.ignored ?? new Set(), upcast);
  setTenant(tx, tenantId);
  const version = incoming.kind === 'poison' ? incoming.keyVersion : incoming.consumed.event.keyversion;
  if (version !== null && version !== undefined && incoming.eventId !== null && Uuid.safeParse(key).success)
    await passVersion(tx, { tenantId, groupId, topic: record.topic }, key, BigInt(version), incoming.eventId);
  setTenant(tx, tenantId);
  await tx.execute(
    `update parked_record set state = 'skipped' where tenant_id = $1 and group_id = $2 and topic = $3 and partition = $4 and record_offset = $5`,
    placeOf(groupId, row),
  );
  await appendOperations(tx, store, [{ tenantId, incoming, type: 'record.skipped.v1', data: decision(options, incoming) }]);
};
