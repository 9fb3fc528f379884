/** Tables of one service's event store. Ids and versions lead to rows; nothing here orders by time, sequence or transaction id. */
export const tables: readonly string[] = [
  // One row per unit of order. What lies between published_version and last_version is the outbox.
  `create table key_head (
    tenant_id uuid not null,
    topic text not null,
    key uuid not null,
    bucket smallint not null check (bucket between 0 and 15),
    last_version bigint not null,
    published_version bigint not null default 0,
    dirty_since timestamptz,
    constraint key_head_pk primary key (tenant_id, topic, key),
    constraint key_head_published check (published_version between 0 and last_version),
    constraint key_head_dirty_or_done check ((dirty_since is null) = (published_version = last_version))
  ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`,
  `comment on column key_head.dirty_since is 'null when all is published; also the place in the queue of the relay'`,
  // The only index that does not lead with the tenant: the relay reads all tenants, and nothing is unique in it.
  `create index key_head_dirty on key_head (bucket, dirty_since) where dirty_since is not null`,

  // A total order over many keys (a routing domain, the sequence of leaves), fenced by its epoch.
  `create table domain_head (
    tenant_id uuid not null,
    domain_id uuid not null,
    epoch bigint not null,
    last_seq bigint not null default 0,
    holder text,
    leased_until timestamptz,
    constraint domain_head_pk primary key (tenant_id, domain_id)
  ) with (fillfactor = 50)`,

  `create table events (
    tenant_id uuid not null,
    topic text not null,
    key uuid not null,
    key_version bigint not null,
    stream_id uuid not null,
    stream_version bigint not null,
    event_id uuid not null,
    type text not null,
    data jsonb not null,
    meta jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    domain_id uuid,
    domain_seq bigint,
    constraint events_pk primary key (tenant_id, topic, key, key_version),
    constraint events_stream_version unique (tenant_id, stream_id, stream_version),
    constraint events_id unique (tenant_id, event_id),
    constraint events_domain_both check ((domain_id is null) = (domain_seq is null))
  )`,
  `create unique index events_domain_seq on events (tenant_id, domain_id, domain_seq) where domain_id is not null`,

  `create table command (
    tenant_id uuid not null,
    command_id text not null check (length(command_id) between 1 and 255),
    digest bytea not null,
    result jsonb,
    created_at timestamptz not null default now(),
    constraint command_pk primary key (tenant_id, command_id)
  )`,

  // Of a consumer group, not of a tenant: a partition carries the records of all.
  `create table consumer_offset (
    group_id text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    cluster_id text,
    topic_id text,
    applied_at timestamptz not null default now(),
    constraint consumer_offset_pk primary key (group_id, topic, partition)
  ) with (fillfactor = 50)`,

  // recent_ids: ids of the last versions, newest first, so that a version that comes twice with different ids is seen.
  `create table key_watermark (
    tenant_id uuid not null,
    group_id text not null,
    topic text not null,
    key uuid not null,
    last_version bigint not null,
    recent_ids uuid[] not null,
    constraint key_watermark_pk primary key (tenant_id, group_id, topic, key)
  ) with (fillfactor = 80)`,

  `create table inbox (
    tenant_id uuid not null,
    group_id text not null,
    event_id uuid not null,
    topic text not null,
    seen_on date not null default current_date,
    constraint inbox_pk primary key (tenant_id, group_id, event_id)
  )`,
  `create index inbox_day on inbox (tenant_id, group_id, seen_on)`,

  // Of a group: an unreadable record names no tenant, and its key must wait all the same. Holds no contents.
  `create table parked_key (
    group_id text not null,
    key text not null,
    tenants uuid[] not null,
    code text not null,
    parked_at timestamptz not null default now(),
    constraint parked_key_pk primary key (group_id, key)
  )`,
  // The bytes as they came: the poison record and everything of its key that came later, in the order seq.
  `create table parked_record (
    tenant_id uuid not null,
    group_id text not null,
    topic text not null,
    partition integer not null,
    record_offset bigint not null,
    seq bigint generated always as identity,
    key text not null,
    event_id uuid,
    code text,
    state text not null default 'parked' check (state in ('parked', 'applied', 'skipped')),
    record_key bytea,
    value bytea,
    headers jsonb not null,
    record_time bigint not null,
    parked_at timestamptz not null default now(),
    constraint parked_record_pk primary key (tenant_id, group_id, topic, partition, record_offset)
  )`,
  `comment on column parked_record.code is 'why it was parked; null when it only waits behind another record of its key'`,
  `create index parked_record_key on parked_record (tenant_id, group_id, key, seq) where state = 'parked'`,

  // Pointers to published events in the order in which heads moved: gapless per (tenant, topic, bucket), see feed.ts.
  `create table feed_head (
    tenant_id uuid not null,
    topic text not null,
    bucket smallint not null,
    last_seq bigint not null,
    constraint feed_head_pk primary key (tenant_id, topic, bucket)
  ) with (fillfactor = 50)`,
  `create table feed_entry (
    tenant_id uuid not null,
    topic text not null,
    bucket smallint not null,
    seq bigint not null,
    key uuid not null,
    key_version bigint not null,
    constraint feed_entry_pk primary key (tenant_id, topic, bucket, seq)
  )`,
];

export const tableNames = [
  'key_head',
  'domain_head',
  'events',
  'command',
  'consumer_offset',
  'key_watermark',
  'inbox',
  'parked_key',
  'parked_record',
  'feed_head',
  'feed_entry',
] as const;

/** Tables whose rows belong to one tenant. The others belong to a consumer group and hold positions and keys only. */
export const tenantTables = [
  'key_head',
  'domain_head',
  'events',
  'command',
  'key_watermark',
  'inbox',
  'parked_record',
  'feed_head',
  'feed_entry',
] as const;
