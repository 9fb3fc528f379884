import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A record that waits for its place keeps the trace that it came with, so that the trace of a look ends at its leaf. */
export class AuditLogTraces1764500000000 implements MigrationInterface {
  readonly name = 'AuditLogTraces1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table intake add column traceparent text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table intake drop column traceparent`);
  }
}
