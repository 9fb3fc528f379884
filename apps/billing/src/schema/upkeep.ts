import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a month of millions of records needs: the records behind a line are read in order, a page at a time. */
export class BillingUpkeep1764200000000 implements MigrationInterface {
  readonly name = 'BillingUpkeep1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create index usage_place on usage (tenant_id, waba_id, month, message_ref collate "C", participant collate "C") where month is not null`,
    );
    await runner.query(`drop index usage_month`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`create index usage_month on usage (tenant_id, waba_id, month) where month is not null`);
    await runner.query(`drop index usage_place`);
  }
}
