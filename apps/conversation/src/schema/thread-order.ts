import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows of all tenants, which the owner sees only while row-level security is not forced. */
const onAllRows = (table: string, statement: string): string[] => [
  `alter table ${table} no force row level security`,
  statement,
  `alter table ${table} force row level security`,
];

const up: readonly string[] = [
  `alter table conversation add column thread_at timestamptz, drop column last_position`,
  ...onAllRows('conversation', `update conversation set thread_at = last_at`),
  `alter table conversation alter column thread_at set not null`,
  `comment on column conversation.thread_at is 'the last place that is taken in the thread'`,
  `alter table thread_item add column placed_at timestamptz`,
  ...onAllRows('thread_item', `update thread_item set placed_at = at`),
  `alter table thread_item alter column placed_at set not null`,
  `comment on column thread_item.placed_at is 'place in the order of the thread, see placeInThread; at is the time that is shown'`,
  `drop index thread_item_order`,
  `create index thread_item_order on thread_item (tenant_id, conversation_id, placed_at desc, position desc, item_id desc)`,
];

const down: readonly string[] = [
  `drop index thread_item_order`,
  `alter table thread_item drop column placed_at`,
  `create index thread_item_order on thread_item (tenant_id, conversation_id, at desc, position desc, item_id desc)`,
  `alter table conversation drop column thread_at, add column last_position integer not null default 0`,
  `alter table conversation alter column last_position drop default`,
];

/** Lines of a thread get a place of their own beside the time that they show. */
export class ThreadOrder1763880100000 implements MigrationInterface {
  readonly name = 'ThreadOrder1763880100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}
