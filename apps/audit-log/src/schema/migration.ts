import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = {
  intake: `create table intake (
    tenant_id uuid not null,
    lane uuid not null,
    number bigint not null,
    kind text not null check (kind in ('record', 'erasure')),
    event_id uuid not null,
    record jsonb not null,
    received_at timestamptz not null default clock_timestamp(),
    constraint intake_pk primary key (tenant_id, lane, number)
  )`,
  source_head: `create table source_head (
    tenant_id uuid not null,
    lane uuid not null,
    last_number bigint not null,
    constraint source_head_pk primary key (tenant_id, lane)
  ) with (fillfactor = 50)`,
  finding: `create table finding (
    tenant_id uuid not null,
    lane uuid not null,
    number_from bigint not null,
    number_to bigint not null,
    kind text not null check (kind in ('source_gap', 'source_repeated', 'manifest_mismatch')),
    leaf_index bigint not null,
    found_at timestamptz not null default clock_timestamp(),
    constraint finding_pk primary key (tenant_id, lane, number_from, kind)
  )`,
  subject_head: `create table subject_head (
    tenant_id uuid not null,
    subject text not null,
    last_seq int not null,
    last_leaf bigint not null,
    constraint subject_head_pk primary key (tenant_id, subject)
  ) with (fillfactor = 50)`,
  leaf: `create table leaf (
    tenant_id uuid not null,
    leaf_index bigint not null,
    leaf_hash bytea not null,
    leaf_text text not null,
    kind text not null check (kind in ('record', 'subject', 'erasure')),
    record_id uuid not null,
    lane uuid not null,
    number bigint not null,
    subject text,
    subject_seq int,
    actor_id uuid not null,
    action text not null,
    outcome text not null,
    occurred_at timestamptz not null,
    sequenced_at timestamptz not null,
    constraint leaf_pk primary key (tenant_id, leaf_index),
    constraint leaf_numbered check ((subject is null) = (subject_seq is null))
  )`,
  tree_node: `create table tree_node (
    tenant_id uuid not null,
    level smallint not null,
    node_index bigint not null,
    hash bytea not null,
    constraint tree_node_pk primary key (tenant_id, level, node_index)
  )`,
  checkpoint: `create table checkpoint (
    tenant_id uuid not null,
    size bigint not null,
    root bytea not null,
    note text not null,
    published_at timestamptz not null,
    constraint checkpoint_pk primary key (tenant_id, size)
  )`,
  assignment: `create table assignment (
    tenant_id uuid not null,
    conversation_id uuid not null,
    assigned_event uuid not null,
    agent_id uuid not null,
    subject text,
    from_at timestamptz not null,
    until_at timestamptz,
    ended_event uuid,
    constraint assignment_pk primary key (tenant_id, conversation_id, assigned_event)
  )`,
  task_queue: `create table task_queue (
    tenant_id uuid not null,
    conversation_id uuid not null,
    event_id uuid not null,
    queue_id uuid,
    subject text,
    since timestamptz not null,
    constraint task_queue_pk primary key (tenant_id, conversation_id, event_id)
  )`,
  agent_queues: `create table agent_queues (
    tenant_id uuid not null,
    agent_id uuid not null,
    event_id uuid not null,
    queue_ids uuid[] not null,
    since timestamptz not null,
    constraint agent_queues_pk primary key (tenant_id, agent_id, event_id)
  )`,
  erasure_subject: `create table erasure_subject (
    tenant_id uuid not null,
    erasure_id uuid not null,
    number int not null,
    subject text,
    constraint erasure_subject_pk primary key (tenant_id, erasure_id, number)
  )`,
} as const;

const indexes = [
  // Each record of a source stands in the log once; light leaves repeat the number of their record.
  `create unique index leaf_source on leaf (tenant_id, lane, number) where kind <> 'subject'`,
  `create unique index leaf_subject on leaf (tenant_id, subject, subject_seq) where subject is not null`,
  `create index leaf_actor on leaf (tenant_id, actor_id, leaf_index)`,
  `create index leaf_time on leaf (tenant_id, occurred_at)`,
  `create index assignment_subject on assignment (tenant_id, subject) where subject is not null`,
  `create index task_queue_subject on task_queue (tenant_id, subject) where subject is not null`,
];

/** Which tenants have a log: the sequencer must know before it can name one. Holds ids only, so it has no row-level security. */
const tenantLog = `create table tenant_log (tenant_id uuid not null, constraint tenant_log_pk primary key (tenant_id))`;

/** Tables of the access ledger. Leaves, nodes and heads can be derived again from the log; see `rebuild`. */
export class AuditLogTables1764000200000 implements MigrationInterface {
  readonly name = 'AuditLogTables1764000200000';

  async up(runner: QueryRunner): Promise<void> {
    const [app] = (await runner.query(`select quote_ident(coalesce(nullif($1, ''), current_database() || '_app')) as role`, [
      process.env['DATABASE_APP_ROLE'] ?? '',
    ])) as [{ role: string }];
    const statements = [...Object.values(tables), ...indexes, ...Object.keys(tables).flatMap(tenantTable), tenantLog];
    for (const statement of statements) await runner.query(statement);
    await runner.query(`grant select, insert on tenant_log to ${app.role}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table ${[...Object.keys(tables), 'tenant_log'].join(', ')}`);
  }
}
