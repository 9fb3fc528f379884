import type { MigrationInterface, QueryRunner } from 'typeorm';

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Sessions of people: the id itself is only in the browser, here is its keyed hash. No customer data. */
export class Sessions1764000000000 implements MigrationInterface {
  readonly name = 'Sessions1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('select current_database() as name')) as { name: string }[];
    const app = quoted(process.env.DATABASE_APP_ROLE || `${row?.name}_app`);
    await runner.query(`create table session (
      id_hash bytea primary key check (length(id_hash) = 32),
      reference uuid not null unique,
      tenant_id uuid not null,
      actor_id uuid not null,
      label text not null,
      roles text[] not null check (cardinality(roles) > 0),
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`);
    await runner.query('create index session_expiry on session (expires_at)');
    await runner.query(`grant select, insert, delete on session to ${app}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table session');
  }
}
