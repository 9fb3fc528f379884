import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables: Readonly<Record<string, readonly string[]>> = {
  // Anybody inserts, nobody waits for anybody: the order is given by the writer, which numbers what it takes. `arrival` keeps cause before
  // effect: what was committed before something else was inserted has the smaller one and is seen with it.
  domain_input: [
    `create table domain_input (
      tenant_id uuid not null,
      domain_id uuid not null,
      arrival bigint generated always as identity,
      input_id text not null,
      fact jsonb not null,
      origin jsonb not null,
      received_at bigint not null,
      seq bigint,
      at bigint,
      result jsonb,
      constraint domain_input_pk primary key (tenant_id, domain_id, arrival),
      constraint domain_input_once unique (tenant_id, domain_id, input_id),
      constraint domain_input_taken check ((seq is null) = (at is null) and (seq is null) = (result is null))
    )`,
    `create unique index domain_input_order on domain_input (tenant_id, domain_id, seq) where seq is not null`,
    `create index domain_input_pending on domain_input (tenant_id, domain_id, arrival) where seq is null`,
    `comment on column domain_input.input_id is 'event id, or idempotency key of a command, or the number of a timer'`,
    `comment on column domain_input.received_at is 'milliseconds since the epoch, by the clock of the database'`,
    `comment on column domain_input.at is 'when it was decided, the time of its events: milliseconds since the epoch, by the clock of the database'`,
    `comment on column domain_input.result is 'what the writer made of it'`,
  ],
  // Moved by the writer alone, in the transaction of its events.
  domain_progress: [
    `create table domain_progress (
      tenant_id uuid not null,
      domain_id uuid not null,
      input_seq bigint not null,
      input_at bigint not null,
      domain_seq bigint not null,
      constraint domain_progress_pk primary key (tenant_id, domain_id)
    ) with (fillfactor = 50)`,
  ],
  conversation_fact: [
    `create table conversation_fact (
      tenant_id uuid not null,
      conversation_id uuid not null,
      subject_id uuid not null,
      phone_number_id text not null,
      ordinal integer not null,
      language text,
      window_expires_at bigint,
      constraint conversation_fact_pk primary key (tenant_id, conversation_id)
    )`,
    `create unique index conversation_fact_turn on conversation_fact (tenant_id, subject_id, phone_number_id, ordinal)`,
  ],
  agent: [
    `create table agent (
      tenant_id uuid not null,
      agent_id uuid not null,
      state jsonb not null,
      version bigint not null,
      constraint agent_pk primary key (tenant_id, agent_id)
    ) with (fillfactor = 50)`,
  ],
  queue: [
    `create table queue (
      tenant_id uuid not null,
      queue_id uuid not null,
      state jsonb not null,
      version bigint not null,
      constraint queue_pk primary key (tenant_id, queue_id)
    )`,
  ],
  policy: [
    `create table policy (
      tenant_id uuid not null,
      state jsonb not null,
      version bigint not null,
      constraint policy_pk primary key (tenant_id)
    )`,
  ],
  task: [
    `create table task (
      tenant_id uuid not null,
      task_id uuid not null,
      phase text not null,
      agent_id uuid,
      state jsonb,
      version bigint not null,
      constraint task_pk primary key (tenant_id, task_id)
    ) with (fillfactor = 50)`,
    `comment on column task.agent_id is 'who has it or is asked; of a completed task, who had it last'`,
    `create index task_of_agent on task (tenant_id, agent_id) where phase in ('offered', 'assigned', 'wrapping')`,
    `create index task_waiting on task (tenant_id) where phase in ('waiting', 'offered')`,
  ],
  offer: [
    `create table offer (
      tenant_id uuid not null,
      reservation_id uuid not null,
      agent_id uuid not null,
      task_id uuid not null,
      constraint offer_pk primary key (tenant_id, reservation_id)
    )`,
  ],
  decision: [
    `create table decision (
      tenant_id uuid not null,
      decision_id uuid not null,
      task_id uuid not null,
      domain_seq bigint not null,
      decision jsonb not null,
      constraint decision_pk primary key (tenant_id, decision_id)
    )`,
    `create unique index decision_of_task on decision (tenant_id, task_id, domain_seq)`,
  ],
};

/** Inputs of the routing domains and the tables that answer queries. Run after the event store's migration. */
export class Routing1763856100000 implements MigrationInterface {
  readonly name = 'Routing1763856100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, statements] of Object.entries(tables))
      for (const statement of [...statements, ...tenantTable(name)]) await runner.query(statement);
    // Which domains there are, for writers that look for work: ids only, hence readable without a tenant, like consumer positions.
    await runner.query(`create table routing_domain (
      tenant_id uuid not null,
      domain_id uuid not null,
      constraint routing_domain_pk primary key (tenant_id, domain_id)
    )`);
    await runner.query(
      `do $$ begin execute format('grant select, insert on routing_domain to %I',
         coalesce(nullif('${(process.env['DATABASE_APP_ROLE'] ?? '').replaceAll("'", "''")}', ''), current_database() || '_app')); end $$`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table routing_domain, ${Object.keys(tables).reverse().join(', ')}`);
  }
}
