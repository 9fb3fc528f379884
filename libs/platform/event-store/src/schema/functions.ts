/** Functions run with the rights of the caller, so row-level security holds inside them. */
export const functions: readonly string[] = [
  `create function refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception 'events are never changed or removed' using errcode = 'CE405';
  end $$`,
  `create trigger events_immutable before update or delete or truncate on events for each statement execute function refuse_change()`,

  // Appends events over any keys and streams; the arrays run in parallel. p_expected: version of the stream before its first event
  // here, the same for all of a stream's events; null = whatever it is. Locks: the domain first, then the keys in order, until the
  // transaction ends. CE409 stale epoch, CE412 expected version does not exist, 23505 on events_stream_version when it is too low.
  `create function append_events(
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

    -- Too low an expectation met the unique constraint above; too high a one would leave a hole, so the version must exist.
    select s.stream into wrong
      from (select u.stream, min(coalesce(u.expected, -1)) as lowest, max(coalesce(u.expected, -1)) as highest
              from unnest(p_streams, p_expected) as u(stream, expected) group by u.stream) s
      where s.lowest <> s.highest
         or (s.lowest > 0 and not exists (
              select from events e where e.tenant_id = p_tenant and e.stream_id = s.stream and e.stream_version = s.lowest))
      limit 1;
    if wrong is not null then
      raise exception 'expected version does not exist' using errcode = 'CE412';
    end if;
  end $$`,

  // Unpublished events of dirty heads: at most p_heads per bucket, oldest in the queue first, and p_events per head, so that hot keys
  // do not starve cold ones. LEFT JOIN on purpose: a dirty head without events is an alarm, not an endless poll. p_floor skips dead
  // index entries that a held snapshot keeps.
  `create function relay_read(p_buckets smallint[], p_floor timestamptz, p_heads int, p_events int)
  returns table (tenant_id uuid, topic text, key uuid, bucket smallint, dirty_since timestamptz, published_version bigint,
                 last_version bigint, key_version bigint, event_id uuid, stream_id uuid, stream_version bigint, type text,
                 data jsonb, meta jsonb, recorded_at timestamptz, domain_seq bigint)
  language sql stable as $$
    select h.tenant_id, h.topic, h.key, h.bucket, h.dirty_since, h.published_version, h.last_version,
           e.key_version, e.event_id, e.stream_id, e.stream_version, e.type, e.data, e.meta, e.recorded_at, e.domain_seq
    from unnest(p_buckets) as b(bucket)
    cross join lateral (
      select * from key_head k where k.bucket = b.bucket and k.dirty_since is not null and k.dirty_since >= p_floor
      order by k.dirty_since limit p_heads) h
    left join lateral (
      select * from events v where v.tenant_id = h.tenant_id and v.topic = h.topic and v.key = h.key
        and v.key_version > h.published_version and v.key_version <= h.last_version
      order by v.key_version limit p_events) e on true
    order by h.tenant_id, h.topic, h.key, e.key_version
  $$`,

  // After the log has acknowledged: moves heads from p_from to p_to, the last version that was SENT, naming the event there. Heads that a
  // writer holds are skipped; the relay remembers them as sent. Sorted locks. Pointers for the feed are written under the same locks,
  // and the feed's own head rows make their order gapless. Returns the heads that moved.
  `create function relay_published(
    p_tenants uuid[], p_topics text[], p_keys uuid[], p_from bigint[], p_to bigint[], p_ids uuid[], p_feeds text[]
  ) returns table (tenant_id uuid, topic text, key uuid) language plpgsql as $$
  #variable_conflict use_column
  declare
    t uuid[]; n text[]; k uuid[]; b smallint[]; f bigint[]; v bigint[];
  begin
    with held as (
      select u.t, u.n, u.k, h.bucket as b, u.f, u.v
      from unnest(p_tenants, p_topics, p_keys, p_from, p_to, p_ids) as u(t, n, k, f, v, id)
      join events e on e.tenant_id = u.t and e.topic = u.n and e.key = u.k and e.key_version = u.v and e.event_id = u.id
      join key_head h on h.tenant_id = u.t and h.topic = u.n and h.key = u.k
      order by h.tenant_id, h.topic, h.key for no key update of h skip locked
    )
    select array_agg(held.t), array_agg(held.n), array_agg(held.k), array_agg(held.b), array_agg(held.f), array_agg(held.v)
      into t, n, k, b, f, v from held;
    if t is null then
      return;
    end if;

    with moved as (
      update key_head h
        set published_version = u.v, dirty_since = case when h.last_version > u.v then clock_timestamp() end
        from unnest(t, n, k, f, v) as u(t, n, k, f, v)
        where h.tenant_id = u.t and h.topic = u.n and h.key = u.k and h.published_version = u.f
        returning h.tenant_id as t, h.topic as n, h.key as k, h.bucket as b, u.f, u.v
    )
    select array_agg(moved.t), array_agg(moved.n), array_agg(moved.k), array_agg(moved.b), array_agg(moved.f), array_agg(moved.v)
      into t, n, k, b, f, v from moved;
    if t is null then
      return;
    end if;

    with pointer as materialized (
      select u.t, u.n, u.k, u.b, ver, row_number() over (partition by u.t, u.n, u.b order by u.k, ver) as place
      from unnest(t, n, k, b, f, v) as u(t, n, k, b, f, v), generate_series(u.f + 1, u.v) as ver
      where u.n = any (p_feeds)
    ), head as (
      insert into feed_head as h (tenant_id, topic, bucket, last_seq)
      select p.t, p.n, p.b, count(*) from pointer p group by p.t, p.n, p.b order by p.t, p.n, p.b
      on conflict (tenant_id, topic, bucket) do update set last_seq = h.last_seq + excluded.last_seq
      returning h.tenant_id, h.topic, h.bucket, h.last_seq
    )
    insert into feed_entry (tenant_id, topic, bucket, seq, key, key_version)
    select p.t, p.n, p.b, h.last_seq - count(*) over (partition by p.t, p.n, p.b) + p.place, p.k, p.ver
      from pointer p join head h on h.tenant_id = p.t and h.topic = p.n and h.bucket = p.b;

    return query select * from unnest(t, n, k);
  end $$`,
];

export const functionSignatures = [
  'append_events(uuid, text, uuid[], uuid[], bigint[], uuid[], text[], jsonb[], jsonb[], uuid, bigint)',
  'relay_read(smallint[], timestamptz, int, int)',
  'relay_published(uuid[], text[], uuid[], bigint[], bigint[], uuid[], text[])',
] as const;
