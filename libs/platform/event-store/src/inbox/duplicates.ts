import { PlatformError } from '@centralita/contracts';
import { setTenant } from '../database.js';
import { PLATFORM_TENANT } from '../lane.js';
import { toBigInt, type SystemTx } from '../types.js';
import type { Readable } from './incoming.js';

/** Ids of so many last versions are kept per key, to tell a duplicate from a version that was used twice. */
export const REMEMBERED_IDS = 16;
/** The provider redelivers for seven days; one day of reserve for clocks and one because days are cut at midnight. */
const INBOX_DAYS = 9;

type Watermark = { last: bigint; recent: string[] };

export type Fresh = {
  /** New to this group, in order. */
  readonly events: Readable[];
  /** Records before which a version of their key is missing. */
  readonly gaps: Readable[];
};

const arrayLiteral = (ids: readonly string[]): string => `{${ids.join(',')}}`;

const byKeyVersion = async (tx: SystemTx, group: Group, stored: readonly Readable[], acceptGaps: boolean): Promise<Fresh> => {
  const marks = new Map<string, Watermark>();
  const keys = [...new Set(stored.map(({ key }) => key.toLowerCase()))];
  const rows = await tx.query<{ key: string; last_version: string; recent_ids: string[] }>(
    `select key, last_version, recent_ids from key_watermark where tenant_id = $1 and group_id = $2 and topic = $3 and key = any ($4::uuid[])`,
    [group.tenantId, group.groupId, group.topic, keys],
  );
  for (const row of rows) marks.set(row.key, { last: toBigInt(row.last_version), recent: row.recent_ids });

  const [events, gaps, moved]: [Readable[], Readable[], Set<string>] = [[], [], new Set()];
  for (const item of stored) {
    const key = item.key.toLowerCase();
    const version = toBigInt(item.consumed.event.keyversion);
    const mark = marks.get(key) ?? { last: 0n, recent: [] };
    if (version <= mark.last) {
      const known = mark.recent[Number(mark.last - version)];
      if (known !== undefined && known !== item.consumed.event.id)
        throw new PlatformError('VERSION_REUSED', 'one version of a key came with two event ids', {
          topic: group.topic,
          key,
          version: version.toString(),
        });
      continue;
    }
    if (version !== mark.last + 1n && !acceptGaps) {
      gaps.push(item);
      continue;
    }
    // Ids stand for consecutive versions only.
    const before = version === mark.last + 1n ? mark.recent : [];
    marks.set(key, { last: version, recent: [item.consumed.event.id, ...before].slice(0, REMEMBERED_IDS) });
    moved.add(key);
    events.push(item);
  }
  const changed = [...moved].sort();
  if (changed.length > 0)
    await tx.execute(
      `insert into key_watermark as w (tenant_id, group_id, topic, key, last_version, recent_ids)
       select $1, $2, $3, key, version, ids::uuid[] from unnest($4::uuid[], $5::bigint[], $6::text[]) as u(key, version, ids) order by key
       on conflict (tenant_id, group_id, topic, key) do update set last_version = excluded.last_version, recent_ids = excluded.recent_ids`,
      [
        group.tenantId,
        group.groupId,
        group.topic,
        changed,
        changed.map((key) => marks.get(key)?.last),
        changed.map((key) => arrayLiteral(marks.get(key)?.recent ?? [])),
      ],
    );
  return { events, gaps };
};

const byId = async (tx: SystemTx, group: Group, facts: readonly Readable[]): Promise<Readable[]> => {
  const first = new Map<string, Readable>();
  for (const item of facts) if (!first.has(item.consumed.event.id)) first.set(item.consumed.event.id, item);
  const rows = await tx.query<{ event_id: string }>(
    `insert into inbox (tenant_id, group_id, event_id, topic)
     select $1, $2, id, $3 from unnest($4::uuid[]) as u(id) order by id on conflict do nothing returning event_id`,
    [group.tenantId, group.groupId, group.topic, [...first.keys()]],
  );
  const fresh = new Set(rows.map((row) => row.event_id));
  return facts.filter((item) => fresh.has(item.consumed.event.id) && first.get(item.consumed.event.id) === item);
};

export type Group = { readonly tenantId: string; readonly groupId: string; readonly topic: string };

/**
 * Takes the events of one tenant that this group has not applied, and remembers them, in the caller's transaction with the tenant
 * set. Stored events by the watermark of their key, provider facts by id. Throws VERSION_REUSED: the producer's database was
 * behind the log, and nothing of it may be trusted until somebody has looked.
 */
export const takeFresh = async (
  tx: SystemTx,
  group: Group,
  items: readonly Readable[],
  options: { acceptGaps?: boolean } = {},
): Promise<Fresh> => {
  const stored = items.filter(({ consumed }) => consumed.event.keyversion !== undefined);
  const facts = items.filter(({ consumed, kind }) => consumed.event.keyversion === undefined && kind === 'event');
  const versioned =
    stored.length === 0 ? { events: [], gaps: [] } : await byKeyVersion(tx, group, stored, options.acceptGaps ?? false);
  const fresh = new Set([...versioned.events, ...(facts.length === 0 ? [] : await byId(tx, group, facts))]);
  return { events: items.filter((item) => fresh.has(item)), gaps: versioned.gaps };
};

/**
 * True when an operator has given up a record of this key that nobody could read: it may have been the missing version. Leaves the
 * platform's tenant set, under which unreadable records are kept.
 */
export const unreadableWasSkipped = async (tx: SystemTx, groupId: string, topic: string, key: string): Promise<boolean> => {
  setTenant(tx, PLATFORM_TENANT);
  const rows = await tx.query(
    `select 1 from parked_record where tenant_id = $1 and group_id = $2 and topic = $3 and key = $4 and state = 'skipped' limit 1`,
    [PLATFORM_TENANT, groupId, topic, key],
  );
  return rows.length > 0;
};

/** A record of known version was given up: later ones may follow it. */
export const passVersion = async (tx: SystemTx, group: Group, key: string, version: bigint, eventId: string): Promise<void> => {
  await tx.execute(
    `insert into key_watermark as w (tenant_id, group_id, topic, key, last_version, recent_ids) values ($1, $2, $3, $4, $5, array[$6::uuid])
     on conflict (tenant_id, group_id, topic, key) do update set last_version = excluded.last_version, recent_ids = excluded.recent_ids
       where w.last_version < excluded.last_version`,
    [group.tenantId, group.groupId, group.topic, key, version, eventId],
  );
};

/** Forgets ids that can no longer be delivered again, at most `limit` at a time, for the tenant of the transaction. Returns how many. */
export const purgeInbox = (tx: SystemTx, tenantId: string, groupId: string, limit: number): Promise<number> =>
  tx.execute(
    // By place of the row: joined by id, a planner without statistics compared each with each (5,000 rows took more than 15 s).
    `delete from inbox where ctid = any (array(
       select ctid from inbox where tenant_id = $1 and group_id = $2 and seen_on < current_date - $3::int limit $4))`,
    [tenantId, groupId, INBOX_DAYS, limit],
  );
