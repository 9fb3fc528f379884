import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements: readonly string[] = [
  `create table domain_snapshot (
    tenant_id uuid not null,
    domain_id uuid not null,
    fold_version integer not null,
    domain_seq bigint not null,
    state jsonb not null,
    taken_at timestamptz not null default clock_timestamp(),
    constraint domain_snapshot_pk primary key (tenant_id, domain_id)
  )`,
  `comment on table domain_snapshot is 'the fold of the events up to domain_seq, so that a writer only folds the rest; may be dropped at any time'`,
];

/** What lets a writer start in the same time after years as on the first day. */
export class RoutingSnapshots1763880000000 implements MigrationInterface {
  readonly name = 'RoutingSnapshots1763880000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...statements, ...tenantTable('domain_snapshot')]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table domain_snapshot');
  }
}
