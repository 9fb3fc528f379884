import type { MigrationInterface, QueryRunner } from 'typeorm';
import { rolesOf } from './migration.js';

/** How long a repeated command still gets its first result, and how long a cursor of the feed stays good. */
export const KEPT_DAYS = 7;

const expired = `now() - interval '${KEPT_DAYS} days'`;
const RELAY_READ = 'relay_read(smallint[], timestamptz, int, int, int, bigint)';
const REMOVE = 'remove_expired(int)';

/**
 * The second migration of every service: passes of the relay that are bounded in events and bytes, and the end of what is only kept for
 * a while. The relay removes it, because it alone sees all tenants; of commands it sees those that are due and nothing of
 * what they say. The first `relay_read` stays for processes of the release before.
 */
export class EventStoreUpkeep1764190000000 implements MigrationInterface {
  readonly name = 'EventStoreUpkeep1764190000000';

  async up(runner: QueryRunner): Promise<void> {
    const { relay } = await rolesOf(runner);
    const statements = [
      // Like its older namesake, but the heads that are found share p_events (each gets p_least in any case), and what is read ends at
      // p_bytes as stored. One hot key gets a whole pass; many share it; whoever found no room stands first in the next one.
      `create function relay_read(p_buckets smallint[], p_floor timestamptz, p_heads int, p_least int, p_events int, p_bytes bigint)
      returns table (tenant_id uuid, topic text, key uuid, bucket smallint, dirty_since timestamptz, published_version bigint,
                     last_version bigint, key_version bigint, event_id uuid, stream_id uuid, stream_version bigint, type text,
                     data jsonb, meta jsonb, recorded_at timestamptz, domain_seq bigint)
      language sql stable as $$
        with head as materialized (
          select k.* from unnest(p_buckets) as b(bucket)
          cross join lateral (
            select * from key_head h where h.bucket = b.bucket and h.dirty_since is not null and h.dirty_since >= p_floor
            order by h.dirty_since limit p_heads) k
        ), found as (
          select h.tenant_id, h.topic, h.key, h.bucket, h.dirty_since, h.published_version, h.last_version,
                 e.key_version, e.event_id, e.stream_id, e.stream_version, e.type, e.data, e.meta, e.recorded_at, e.domain_seq,
                 sum(coalesce(pg_column_size(e.data) + pg_column_size(e.meta), 0))
                   over (order by h.dirty_since, h.tenant_id, h.topic, h.key, e.key_version
                         rows between unbounded preceding and 1 preceding) as bytes_before
          from head h
          left join lateral (
            select * from events v where v.tenant_id = h.tenant_id and v.topic = h.topic and v.key = h.key
              and v.key_version > h.published_version and v.key_version <= h.last_version
            order by v.key_version
            limit (select greatest(p_least, p_events / greatest(count(*), 1)) from head)) e on true
        )
        select tenant_id, topic, key, bucket, dirty_since, published_version, last_version, key_version, event_id, stream_id,
               stream_version, type, data, meta, recorded_at, domain_seq
        from found where coalesce(bytes_before, 0) < p_bytes
        order by tenant_id, topic, key, key_version
      $$`,
      `create index command_age on command (created_at)`,
      `create policy expired on command to ${relay} using (created_at < ${expired})`,
      `grant select (tenant_id, command_id, created_at), delete on command to ${relay}`,

      // Below this position the pointers are gone: a cursor from before is refused, it would pass over them in silence.
      `alter table feed_head add column purged_seq bigint not null default 0`,
      `grant update (purged_seq) on feed_head to ${relay}`,
      `grant select, delete on feed_entry to ${relay}`,

      // At most p_limit rows of each kind; returns how many. One relay at a time: the others would wait for its locks.
      `create function remove_expired(p_limit int) returns bigint language plpgsql as $$
      declare
        commands bigint := 0;
        pointers bigint;
        old record;
      begin
        if not pg_try_advisory_xact_lock(hashtextextended('centralita.expired', 0)) then
          return 0;
        end if;
        -- One by one: joined, a planner without statistics may compare each with each.
        for old in select c.tenant_id, c.command_id from command c where c.created_at < ${expired} order by c.created_at limit p_limit loop
          delete from command c where c.tenant_id = old.tenant_id and c.command_id = old.command_id;
          commands := commands + 1;
        end loop;

        -- Heads move in the order of commits, so the oldest pointers of a bucket have the oldest events, or nearly. One look at the
        -- first pointer of each bucket; only where that one is due, the next ones too.
        with due as materialized (
          select f.place from feed_head h
          cross join lateral (
            select o.place, max(e.recorded_at) over (order by o.seq) as newest from (
              select n.ctid as place, n.* from feed_entry n where n.tenant_id = h.tenant_id and n.topic = h.topic and n.bucket = h.bucket
              order by n.seq limit 500) o
            join events e on e.tenant_id = o.tenant_id and e.topic = o.topic and e.key = o.key and e.key_version = o.key_version) f
          where f.newest < ${expired} and ${expired} > (
            select e.recorded_at from (
              select * from feed_entry n where n.tenant_id = h.tenant_id and n.topic = h.topic and n.bucket = h.bucket
              order by n.seq limit 1) o
            join events e on e.tenant_id = o.tenant_id and e.topic = o.topic and e.key = o.key and e.key_version = o.key_version)
          limit p_limit
        ), gone as (
          -- By place of the row, for the same reason.
          delete from feed_entry where ctid = any (array(select place from due))
          returning tenant_id, topic, bucket, seq
        ), moved as (
          update feed_head h set purged_seq = g.seq
          from (select tenant_id, topic, bucket, max(seq) as seq from gone group by tenant_id, topic, bucket) g
          where h.tenant_id = g.tenant_id and h.topic = g.topic and h.bucket = g.bucket
        )
        select count(*) into pointers from gone;
        return commands + pointers;
      end $$`,
      ...[RELAY_READ, REMOVE].flatMap((signature) => [
        `revoke execute on function ${signature} from public`,
        `grant execute on function ${signature} to ${relay}`,
      ]),
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    const { relay } = await rolesOf(runner);
    for (const statement of [
      `drop function ${REMOVE}`,
      `drop function ${RELAY_READ}`,
      `revoke select, delete on feed_entry from ${relay}`,
      `alter table feed_head drop column purged_seq`,
      `revoke select (tenant_id, command_id, created_at), delete on command from ${relay}`,
      `drop policy expired on command`,
      `drop index command_age`,
    ])
      await runner.query(statement);
  }
}
