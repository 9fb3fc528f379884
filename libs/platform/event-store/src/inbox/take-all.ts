import { prepared } from '../prepared.js';
import { toBigInt, type SystemTx } from '../types.js';
import { REMEMBERED_IDS, type Group } from './duplicates.js';
import type { Readable } from './incoming.js';

/** Versions of one key in a batch, without a hole between them. */
type Versions = { readonly first: bigint; last: bigint; readonly ids: string[] };

const literal = (values: Iterable<string | bigint>): string => `{${[...values].join(',')}}`;

/** Null when the versions of a key do not follow each other. */
const versionsOf = (stored: readonly Readable[]): Map<string, Versions> | null => {
  const found = new Map<string, Versions>();
  for (const { key: written, consumed } of stored) {
    const key = written.toLowerCase();
    const version = toBigInt(consumed.event.keyversion);
    const versions = found.get(key);
    if (versions === undefined) found.set(key, { first: version, last: version, ids: [consumed.event.id] });
    else if (version !== versions.last + 1n) return null;
    else {
      versions.last = version;
      versions.ids.push(consumed.event.id);
    }
  }
  return found;
};

// A row that is inserted has no xmax, one that is updated here has that of its lock. ON CONFLICT because it looks at the index key by key,
// in the order given, whatever the planner believes of the table.
const TAKE_VERSIONS = prepared(
  `with taken as (
     insert into key_watermark as w (tenant_id, group_id, topic, key, last_version, recent_ids)
     select $1, $2, $3, n.key, n.last, coalesce(n.ids::uuid[], array[n.id])
       from unnest($4::uuid[], $5::bigint[], $6::uuid[], $7::text[]) as n(key, last, id, ids)
     on conflict (tenant_id, group_id, topic, key) do update
       set last_version = excluded.last_version, recent_ids = (excluded.recent_ids || w.recent_ids)[1:${String(REMEMBERED_IDS)}]
       where w.last_version = excluded.last_version - cardinality(excluded.recent_ids)
     returning w.xmax = 0 as added
   )
   select count(*) as taken, count(*) filter (where added) as added,
     exists (select from parked_key p where p.group_id = $2 and lower(p.key) in (select k::text from unnest($4::uuid[]) as k)) as parked
   from taken`,
);

const TAKE_IDS = prepared(
  `with taken as (
     insert into inbox (tenant_id, group_id, event_id, topic)
     select $1, $2, id, $3 from unnest($4::uuid[]) as u(id) order by id on conflict do nothing returning 1
   )
   select count(*) as taken, 0 as added, exists (select from parked_key p where p.group_id = $2 and p.key = any ($5::text[])) as parked
   from taken`,
);

type Taken = { readonly taken: string; readonly added: string; readonly parked: boolean };

const takeVersions = async (tx: SystemTx, group: Group, stored: readonly Readable[]): Promise<boolean> => {
  const found = versionsOf(stored);
  if (found === null) return false;
  const keys = [...found.keys()].sort();
  const versions = keys.map((key) => found.get(key) as Versions);
  const added = versions.filter(({ first }) => first === 1n);
  if (added.some(({ ids }) => ids.length > REMEMBERED_IDS)) return false;
  const several = versions.some(({ ids }) => ids.length > 1);
  const [row] = await tx.query<Taken>(TAKE_VERSIONS, [
    group.tenantId,
    group.groupId,
    group.topic,
    literal(keys),
    literal(versions.map(({ last }) => last)),
    literal(versions.map(({ ids }) => ids[0] as string)),
    // Newest first, as they are kept.
    several ? versions.map(({ ids }) => (ids.length > 1 ? literal(ids.toReversed()) : null)) : null,
  ]);
  return row !== undefined && !row.parked && Number(row.taken) === keys.length && Number(row.added) === added.length;
};

const takeIds = async (tx: SystemTx, group: Group, facts: readonly Readable[]): Promise<boolean> => {
  const taken = facts.filter(({ kind }) => kind === 'event');
  const ids = new Set(taken.map(({ consumed }) => consumed.event.id));
  if (ids.size < taken.length) return false;
  const keys = [...new Set(facts.map(({ key }) => key))];
  const [row] = await tx.query<Taken>(TAKE_IDS, [group.tenantId, group.groupId, group.topic, literal(ids), keys]);
  return row !== undefined && !row.parked && Number(row.taken) === ids.size;
};

/**
 * Takes all events of one tenant, in the caller's transaction with the tenant set and after the group's lock, if nothing stands against
 * it: none is a duplicate, none has a gap before it, none has a parked key. That is nearly always so, and one statement both asks and
 * writes. When it is false, the transaction has to be rolled back, and `takeFresh` to tell the events apart.
 */
export const takeAll = async (tx: SystemTx, group: Group, items: readonly Readable[]): Promise<boolean> => {
  const stored = items.filter(({ consumed }) => consumed.event.keyversion !== undefined);
  const facts = items.filter(({ consumed }) => consumed.event.keyversion === undefined);
  const taken = await Promise.all([
    stored.length === 0 || takeVersions(tx, group, stored),
    facts.length === 0 || takeIds(tx, group, facts),
  ]);
  return taken.every(Boolean);
};
