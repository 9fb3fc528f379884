import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The newest self-test that came through the log: one row, of the platform's own tenant. */
export class AuditLogSelftest1764600000000 implements MigrationInterface {
  readonly name = 'AuditLogSelftest1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table selftest (
      tenant_id uuid not null,
      run_id uuid not null,
      ran_at timestamptz not null,
      constraint selftest_pk primary key (tenant_id)
    )`);
    for (const statement of tenantTable('selftest')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table selftest`);
  }
}
