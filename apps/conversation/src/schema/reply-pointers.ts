import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables: readonly string[] = [
  // Gives the numbers of a lane: the row's lock is held until commit, so they become visible in order and without gaps.
  `create table reply_pointer_head (
    tenant_id uuid not null,
    lane smallint not null,
    last_seq bigint not null,
    constraint reply_pointer_head_pk primary key (tenant_id, lane)
  ) with (fillfactor = 50)`,
  // One row per conversation and lane, moved to the end of the lane whenever a reply's status changes.
  `create table reply_pointer (
    tenant_id uuid not null,
    lane smallint not null,
    conversation_id uuid not null,
    seq bigint not null,
    event_id uuid not null,
    at timestamptz not null,
    constraint reply_pointer_pk primary key (tenant_id, lane, conversation_id)
  ) with (fillfactor = 70)`,
  `create unique index reply_pointer_order on reply_pointer (tenant_id, lane, seq)`,
];
const names = ['reply_pointer_head', 'reply_pointer'] as const;

/** Pointers for the live stream: in which conversations the status of a reply has changed. */
export class ReplyPointers1763880000000 implements MigrationInterface {
  readonly name = 'ReplyPointers1763880000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...tables, ...names.flatMap(tenantTable)]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table ${names.join(', ')}`);
  }
}
