import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the tables need once a log is long: the list of findings, and a queue that is filled and emptied all day. */
export class AuditLogUpkeep1764200000000 implements MigrationInterface {
  readonly name = 'AuditLogUpkeep1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index finding_leaf on finding (tenant_id, leaf_index, kind)`);
    // Every row is deleted soon after it came: the dead must not pile up in front of the living.
    await runner.query(
      `alter table intake set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `alter table intake reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)`,
    );
    await runner.query(`drop index finding_leaf`);
  }
}
