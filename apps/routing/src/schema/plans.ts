import type { MigrationInterface, QueryRunner } from 'typeorm';

const uniqueIn = (columns: string): string[] => [
  `alter table domain_input drop constraint domain_input_once`,
  `alter table domain_input add constraint domain_input_once unique (${columns})`,
];

/**
 * The id first: a planner that knows nothing of a young table believes that its first two columns name one row, and then reads the whole
 * domain by whatever index begins with them.
 */
export class RoutingPlans1764300000000 implements MigrationInterface {
  readonly name = 'RoutingPlans1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of uniqueIn('input_id, tenant_id, domain_id')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of uniqueIn('tenant_id, domain_id, input_id')) await runner.query(statement);
  }
}
