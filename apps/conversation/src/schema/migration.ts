import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the service reads by: folds of its own events, of routing's and of the sender's, written in the transaction that applies them.
 * Customer data stands here as the envelopes of the events, never in clear.
 */
const tables: readonly string[] = [
  // One row per subject: its lock puts everything that happens to one customer in a row, whoever writes.
  `create table subject (
    tenant_id uuid not null,
    subject_id uuid not null,
    contact_id uuid,
    constraint subject_pk primary key (tenant_id, subject_id)
  ) with (fillfactor = 80)`,

  // The customer service window of (business number, subject). expires_at follows from the other two.
  `create table service_window (
    tenant_id uuid not null,
    phone_number_id text not null,
    subject_id uuid not null,
    opened_at timestamptz,
    contradicted_at timestamptz,
    expires_at timestamptz,
    constraint service_window_pk primary key (tenant_id, phone_number_id, subject_id)
  ) with (fillfactor = 80)`,

  `create table conversation (
    tenant_id uuid not null,
    conversation_id uuid not null,
    subject_id uuid not null,
    phone_number_id text not null,
    contact_id uuid not null,
    ordinal integer not null,
    status text not null check (status in ('open', 'closed')),
    opened_at timestamptz not null,
    closed_at timestamptz,
    disposition_code text,
    language text,
    outbound_version integer not null,
    stream_version integer not null,
    unread integer not null,
    last_at timestamptz not null,
    last_position integer not null,
    last_kind text not null check (last_kind in ('in', 'out', 'echo')),
    last_sealed jsonb,
    profile_at timestamptz,
    profile_sealed jsonb,
    constraint conversation_pk primary key (tenant_id, conversation_id),
    constraint conversation_ordinal unique (tenant_id, phone_number_id, subject_id, ordinal)
  ) with (fillfactor = 70)`,
  `comment on column conversation.last_sealed is 'envelope of the newest message, for the preview'`,
  `comment on column conversation.profile_sealed is 'envelope of the customer''s newest message: name and address'`,
  `create index conversation_recent on conversation (tenant_id, status, last_at desc, conversation_id desc)`,

  `create table thread_item (
    tenant_id uuid not null,
    conversation_id uuid not null,
    item_id text not null,
    kind text not null check (kind in ('inbound', 'echo', 'reply', 'note', 'event')),
    at timestamptz not null,
    position integer not null,
    message_type text,
    message_ref text,
    participant text,
    context_ref text,
    media jsonb,
    agent_id uuid,
    send_id uuid,
    status text,
    status_code text,
    event_type text,
    sealed jsonb,
    constraint thread_item_pk primary key (tenant_id, conversation_id, item_id)
  ) with (fillfactor = 80)`,
  `create index thread_item_order on thread_item (tenant_id, conversation_id, at desc, position desc, item_id desc)`,
  `create index thread_item_ref on thread_item (tenant_id, message_ref) where message_ref is not null`,
  `create unique index thread_item_send on thread_item (tenant_id, send_id) where send_id is not null`,
  // The domain's own guard against one message in two conversations. A voicemail comes with the id of its call.
  `create unique index thread_item_once on thread_item (tenant_id, message_ref, (message_type = 'call')) where kind in ('inbound', 'echo')`,

  // What the provider said about a message, whether or not it is known yet whose it is.
  `create table message_status (
    tenant_id uuid not null,
    message_ref text not null,
    status text not null,
    status_code text,
    constraint message_status_pk primary key (tenant_id, message_ref)
  ) with (fillfactor = 70)`,
  // Media may be stored before the message that names them is seen here.
  `create table media_state (
    tenant_id uuid not null,
    media_id uuid not null,
    state text not null check (state in ('stored', 'lost')),
    constraint media_state_pk primary key (tenant_id, media_id)
  )`,

  `create table assignment (
    tenant_id uuid not null,
    conversation_id uuid not null,
    queue_id uuid,
    agent_id uuid,
    last_agent_id uuid,
    offered_agent_id uuid,
    waiting_since timestamptz,
    version integer not null,
    seen integer not null,
    constraint assignment_pk primary key (tenant_id, conversation_id)
  ) with (fillfactor = 70)`,
  `create index assignment_agent on assignment (tenant_id, agent_id) where agent_id is not null`,
  `create table agent (
    tenant_id uuid not null,
    agent_id uuid not null,
    queue_ids uuid[] not null,
    constraint agent_pk primary key (tenant_id, agent_id)
  )`,
  `create table queue (
    tenant_id uuid not null,
    queue_id uuid not null,
    constraint queue_pk primary key (tenant_id, queue_id)
  )`,
];

const names = [
  'subject',
  'service_window',
  'conversation',
  'thread_item',
  'message_status',
  'media_state',
  'assignment',
  'agent',
  'queue',
] as const;

export class Conversation1763856100000 implements MigrationInterface {
  readonly name = 'Conversation1763856100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...tables, ...names.flatMap(tenantTable)]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table ${names.join(', ')}`);
  }
}
