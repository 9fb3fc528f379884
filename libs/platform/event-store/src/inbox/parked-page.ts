import { Uuid } from '@centralita/contracts';
import { setTenant, type Database } from '../database.js';
import { PLATFORM_TENANT } from '../lane.js';
import { toBigInt, type SystemTx } from '../types.js';

/** Where a record stands on the log. */
export type RecordPlace = { readonly topic: string; readonly partition: number; readonly offset: bigint };

/** A parked key as an operator of one tenant may see it: names, places and counts, nothing of what the records hold. */
export type ParkedView = {
  /** The record key when it is an id; otherwise `topic~partition~offset` of its first record, since a foreign key may be anything. */
  readonly handle: string;
  /** Why its first record is not applied. */
  readonly code: string;
  readonly parkedAt: Date;
  /** Records that wait, the first among them, by topic. */
  readonly waiting: readonly { readonly topic: string; readonly records: number }[];
  /** What a skip gives up; null for an instant while somebody works on the key. */
  readonly first: (RecordPlace & { readonly eventId: string | null }) | null;
};
export type ParkedPage = { readonly items: readonly ParkedView[]; readonly next: ParkedAfter | null };
/** Goes on behind this key: when it was parked, in microseconds, and a hash of it. */
export type ParkedAfter = readonly [parkedAt: string, hash: string];

/** What an operator of a tenant may act on: its own records and those that name no tenant, which belong to the installation. */
export const operable = (tenantId: string): readonly string[] => [tenantId, PLATFORM_TENANT];

const handleOf = (key: string, first: RecordPlace | null): string | null =>
  Uuid.safeParse(key).success ? key : first && `${first.topic}~${first.partition}~${first.offset}`;

type Waiting = {
  readonly byTopic: Map<string, number>;
  first: (RecordPlace & { readonly seq: bigint; readonly eventId: string | null }) | null;
};

/** Parked keys of a group that a tenant's operators may see, oldest first. A key with records of another tenant is not theirs. */
export const parkedPage = (
  db: Database,
  groupId: string,
  { tenantId, handle, after, limit }: { tenantId: string; handle?: string; after?: ParkedAfter; limit: number },
): Promise<ParkedPage> =>
  db.system(async (tx) => {
    const key = handle === undefined ? undefined : await keyOf(tx, groupId, tenantId, handle);
    if (key === null) return { items: [], next: null };
    const rows = await tx.query<{ key: string; code: string; parked_at: Date; micros: string; hash: string }>(
      `select key, code, parked_at, micros, hash
       from (select *, (extract(epoch from parked_at) * 1000000)::bigint as micros, hashtextextended(key, 0) as hash from parked_key) p
       where group_id = $1 and tenants <@ $2::uuid[] and ($3::text is null or key = $3)
         and ($4::bigint is null or (micros, hash) > ($4, $5::bigint))
       order by micros, hash limit $6`,
      [groupId, operable(tenantId), key ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const waiting = await waitingOf(
      tx,
      groupId,
      tenantId,
      shown.map((row) => row.key),
    );
    const items = shown.flatMap((row): ParkedView[] => {
      const { byTopic, first = null } = waiting.get(row.key) ?? { byTopic: new Map<string, number>() };
      const shownAs = handleOf(row.key, first);
      if (shownAs === null) return [];
      return [
        {
          handle: shownAs,
          code: row.code,
          parkedAt: row.parked_at,
          waiting: [...byTopic].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, records]) => ({ topic: name, records })),
          first: first && { topic: first.topic, partition: first.partition, offset: first.offset, eventId: first.eventId },
        },
      ];
    });
    return { items, next: rows.length > limit && last ? [last.micros, last.hash] : null };
  });

const waitingOf = async (
  tx: SystemTx,
  groupId: string,
  tenantId: string,
  keys: readonly string[],
): Promise<Map<string, Waiting>> => {
  const found = new Map<string, Waiting>();
  if (keys.length === 0) return found;
  for (const tenant of operable(tenantId)) {
    setTenant(tx, tenant);
    const rows = await tx.query<{
      key: string;
      topic: string;
      records: string;
      seq: string;
      partition: number;
      record_offset: string;
      event_id: string | null;
    }>(
      `select distinct on (key, topic) key, topic, count(*) over (partition by key, topic) as records, seq, partition, record_offset, event_id
       from parked_record where tenant_id = $1 and group_id = $2 and key = any ($3) and state = 'parked' order by key, topic, seq`,
      [tenant, groupId, keys],
    );
    for (const row of rows) {
      const entry = found.get(row.key) ?? { byTopic: new Map<string, number>(), first: null };
      found.set(row.key, entry);
      entry.byTopic.set(row.topic, (entry.byTopic.get(row.topic) ?? 0) + Number(row.records));
      const seq = toBigInt(row.seq);
      if (entry.first === null || seq < entry.first.seq)
        entry.first = {
          seq,
          topic: row.topic,
          partition: row.partition,
          offset: toBigInt(row.record_offset),
          eventId: row.event_id,
        };
    }
  }
  return found;
};

const PLACE = /^([a-z0-9.-]{1,80})~(\d{1,9})~(\d{1,18})$/;

const keyOf = async (tx: SystemTx, groupId: string, tenantId: string, handle: string): Promise<string | null> => {
  if (Uuid.safeParse(handle).success) return handle;
  const [, topic, partition, offset] = PLACE.exec(handle) ?? [];
  if (topic === undefined) return null;
  for (const tenant of operable(tenantId)) {
    setTenant(tx, tenant);
    const [row] = await tx.query<{ key: string }>(
      `select key from parked_record
       where tenant_id = $1 and group_id = $2 and topic = $3 and partition = $4 and record_offset = $5 and state = 'parked'`,
      [tenant, groupId, topic, partition, offset],
    );
    if (row) return row.key;
  }
  return null;
};

/** The record key behind a {@link ParkedView.handle}; null when there is none that this tenant may see. */
export const parkedKeyOf = (db: Database, groupId: string, tenantId: string, handle: string): Promise<string | null> =>
  db.system((tx) => keyOf(tx, groupId, tenantId, handle));
