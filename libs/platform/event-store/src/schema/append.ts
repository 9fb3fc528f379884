import type { MigrationInterface, QueryRunner } from 'typeorm';
import { functions } from './functions.js';
import { rolesOf } from './migration.js';

const APPEND_ONE = 'append_event(uuid, text, uuid, uuid, bigint, uuid, text, jsonb, jsonb, uuid, bigint)';

const former = functions.find((statement) => statement.startsWith('create function append_events('));

/**
 * The third migration of every service: an append of one event without arrays, and an append of many whose cost does not grow with the
 * table. Before, a planner without statistics could check expected versions against a hash of all events of the tenant.
 */
export class EventStoreAppend1764290000000 implements MigrationInterface {
  readonly name = 'EventStoreAppend1764290000000';

  async up(runner: QueryRunner): Promise<void> {
    const { app } = await rolesOf(runner);
    for (const statement of [
      appendOne,
      `revoke execute on function ${APPEND_ONE} from public`,
      `grant execute on function ${APPEND_ONE} to ${app}`,
      appendMany,
    ])
      await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop function ${APPEND_ONE}`);
    if (former !== undefined) await runner.query(former.replace('create function', 'create or replace function'));
  }
}

// As append_events, for one event: the same locks in the same order, the same errors.
const appendOne = `create function append_event(
    p_tenant uuid, p_topic text, p_key uuid, p_stream uuid, p_expected bigint, p_id uuid, p_type text, p_data jsonb, p_meta jsonb,
    p_domain uuid, p_epoch bigint, out key_version bigint, out stream_version bigint, out domain_seq bigint
  ) language plpgsql as $$
  #variable_conflict use_column
  declare
    in_key bigint;
    in_domain bigint;
    before bigint := p_expected;
  begin
    if p_domain is not null then
      update domain_head set last_seq = last_seq + 1
        where tenant_id = p_tenant and domain_id = p_domain and epoch = p_epoch returning last_seq into in_domain;
      if not found then
        raise exception 'stale epoch' using errcode = 'CE409';
      end if;
    end if;

    -- Most keys are there, and an update alone is cheaper than an insert that meets a conflict.
    update key_head set last_version = last_version + 1, dirty_since = coalesce(dirty_since, clock_timestamp())
      where tenant_id = p_tenant and topic = p_topic and key = p_key returning last_version into in_key;
    if not found then
      insert into key_head as h (tenant_id, topic, key, bucket, last_version, dirty_since)
        values (p_tenant, p_topic, p_key, uuid_hash_extended(p_key, 0) & 15, 1, clock_timestamp())
      on conflict (tenant_id, topic, key) do update
        set last_version = h.last_version + 1, dirty_since = coalesce(h.dirty_since, clock_timestamp())
      returning h.last_version into in_key;
    end if;

    -- Statements of their own, after the lock: their snapshots hold what the last holder of the key has written.
    if before is null then
      before := coalesce((select max(e.stream_version) from events e where e.tenant_id = p_tenant and e.stream_id = p_stream), 0);
    end if;
    -- Too low an expectation meets the unique constraint; too high a one would leave a hole, so the version must exist.
    insert into events (tenant_id, topic, key, key_version, stream_id, stream_version, event_id, type, data, meta, domain_id, domain_seq)
      select p_tenant, p_topic, p_key, in_key, p_stream, before + 1, p_id, p_type, p_data, p_meta, p_domain, in_domain
      where before = 0 or p_expected is null or exists (
        select from events e where e.tenant_id = p_tenant and e.stream_id = p_stream and e.stream_version = before);
    if not found then
      raise exception 'expected version does not exist' using errcode = 'CE412';
    end if;
    key_version := in_key;
    stream_version := before + 1;
    domain_seq := in_domain;
  end $$`;

const appendMany = `create or replace function append_events(
    p_tenant uuid, p_topic text, p_keys uuid[], p_streams uuid[], p_expected bigint[], p_ids uuid[], p_types text[],
    p_data jsonb[], p_meta jsonb[], p_domain uuid, p_epoch bigint
  ) returns table (event_id uuid, key_version bigint, stream_version bigint, domain_seq bigint) language plpgsql as $$
  #variable_conflict use_column
  declare
    head_keys uuid[];
    head_versions bigint[];
    seq_before bigint;
    wrong uuid;
  begin
    if p_domain is not null then
      update domain_head set last_seq = last_seq + cardinality(p_ids)
        where tenant_id = p_tenant and domain_id = p_domain and epoch = p_epoch
        returning last_seq - cardinality(p_ids) into seq_before;
      if not found then
        raise exception 'stale epoch' using errcode = 'CE409';
      end if;
    end if;

    -- The row lock of a head lasts until commit, so versions become visible in order, and a rollback gives them back.
    with touched as (
      insert into key_head as h (tenant_id, topic, key, bucket, last_version, dirty_since)
      select p_tenant, p_topic, k.key, uuid_hash_extended(k.key, 0) & 15, count(*), clock_timestamp()
        from unnest(p_keys) as k(key) group by k.key order by k.key
      on conflict (tenant_id, topic, key) do update
        set last_version = h.last_version + excluded.last_version,
            dirty_since = coalesce(h.dirty_since, clock_timestamp())
      returning h.key, h.last_version
    )
    select array_agg(key), array_agg(last_version) into head_keys, head_versions from touched;

    -- A statement of its own, after the locks: the newest version of an 'any' stream is read from a snapshot that holds it.
    return query
    with input as materialized (
      select u.*,
             row_number() over (partition by u.key order by u.place) as in_key,
             count(*) over (partition by u.key) as of_key,
             row_number() over (partition by u.stream order by u.place) as in_stream
        from unnest(p_keys, p_streams, p_expected, p_ids, p_types, p_data, p_meta)
          with ordinality as u(key, stream, expected, id, type, data, meta, place)
    ), stream as materialized (
      select i.stream, coalesce(i.expected,
               (select max(e.stream_version) from events e where e.tenant_id = p_tenant and e.stream_id = i.stream), 0) as version
        from input i where i.in_stream = 1
    ), inserted as (
      insert into events as e (tenant_id, topic, key, key_version, stream_id, stream_version, event_id, type, data, meta, domain_id, domain_seq)
      select p_tenant, p_topic, i.key, h.version - i.of_key + i.in_key, i.stream, s.version + i.in_stream, i.id, i.type, i.data, i.meta,
             p_domain, seq_before + i.place
        from input i
        join unnest(head_keys, head_versions) as h(key, version) on h.key = i.key
        join stream s on s.stream = i.stream
        order by i.place
      returning e.event_id, e.key_version, e.stream_version, e.domain_seq
    )
    select n.event_id, n.key_version, n.stream_version, n.domain_seq
      from inserted n join input i on i.id = n.event_id order by i.place;

    -- Too low an expectation met the unique constraint above; too high a one would leave a hole, so the version must exist. LATERAL with
    -- LIMIT is one look into the index for each stream, whatever the planner knows of the table.
    select s.stream into wrong
      from (select u.stream, min(coalesce(u.expected, -1)) as lowest, max(coalesce(u.expected, -1)) as highest
              from unnest(p_streams, p_expected) as u(stream, expected) group by u.stream) s
      left join lateral (
        select 1 as there from events e
          where s.lowest > 0 and e.tenant_id = p_tenant and e.stream_id = s.stream and e.stream_version = s.lowest limit 1) e on true
      where s.lowest <> s.highest or (s.lowest > 0 and e.there is null)
      limit 1;
    if wrong is not null then
      raise exception 'expected version does not exist' using errcode = 'CE412';
    end if;
  end $$`;
