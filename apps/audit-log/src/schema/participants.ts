import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who has written in whose conversation, by commitment: participants of groups. Part of the projection `facts`. */
export class AuditLogParticipants1764700000000 implements MigrationInterface {
  readonly name = 'AuditLogParticipants1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table participant (
      tenant_id uuid not null,
      subject text not null,
      owner text not null,
      constraint participant_pk primary key (tenant_id, subject, owner)
    )`);
    for (const statement of tenantTable('participant')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table participant`);
  }
}
