import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Role that services use on the keyring database; granted by the migration. Default: `<database>_app`. */
const appRole = async (runner: QueryRunner): Promise<string> => {
  const configured = process.env['KEYRING_APP_ROLE'] ?? process.env['DATABASE_APP_ROLE'];
  if (configured) return configured;
  const rows = (await runner.query('select current_database() as name')) as { name: string }[];
  return `${rows[0]?.name ?? ''}_app`;
};

const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/**
 * Wrapped keys, in a database of their own. A destroyed key leaves its row as a tombstone for ever: nobody may delete, and the
 * trigger lets states only move forward, so a subject that was erased can never get a key again.
 */
export class KeyringSchema1764000000000 implements MigrationInterface {
  readonly name = 'KeyringSchema1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    const role = quote(await appRole(runner));
    const statements = [
      `create table tenant_key (
         tenant_id  uuid primary key,
         reference  bytea not null,
         wrapping   bytea not null,
         commitment bytea not null,
         created_at timestamptz not null default now()
       )`,
      `create table subject_key (
         tenant_id  uuid not null,
         subject_id uuid not null,
         key_id     uuid not null,
         state      text not null check (state in ('live', 'closing', 'destroyed')),
         wrapped    bytea,
         created_at timestamptz not null default now(),
         changed_at timestamptz not null default now(),
         primary key (tenant_id, subject_id),
         check (state <> 'live' or wrapped is not null),
         check (state <> 'destroyed' or wrapped is null)
       )`,
      `create function subject_key_forward_only() returns trigger language plpgsql as $$
       begin
         if old.state = 'destroyed' or (old.state = 'closing' and new.state = 'live') then
           raise exception 'the state of a subject key only moves forward' using errcode = 'CE423';
         end if;
         return new;
       end $$`,
      `create trigger subject_key_forward_only before update on subject_key
         for each row execute function subject_key_forward_only()`,
      ...['tenant_key', 'subject_key'].flatMap((table) => [
        `alter table ${table} enable row level security`,
        `alter table ${table} force row level security`,
        `create policy tenant on ${table} using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`,
        `grant select, insert on ${table} to ${role}`,
      ]),
      `grant update (state, wrapped, changed_at) on subject_key to ${role}`,
      `grant usage on schema public to ${role}`,
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table subject_key');
    await runner.query('drop function subject_key_forward_only()');
    await runner.query('drop table tenant_key');
  }
}

/**
 * Which provider wrapped a tenant's keys, and with which version of its key. What is there was wrapped by the local master key, before
 * versions were written down; a release from before goes on writing so. The owner may see and wrap anew what belongs to all tenants.
 */
export class KeyProviders1764460800000 implements MigrationInterface {
  readonly name = 'KeyProviders1764460800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table tenant_key add column provider text not null default 'local',
      add column key_version text not null default '', add column wrapped_at timestamptz not null default now()`);
    await runner.query('create policy owner on tenant_key to current_user using (true) with check (true)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop policy owner on tenant_key');
    await runner.query('alter table tenant_key drop column wrapped_at, drop column key_version, drop column provider');
  }
}

/** In order. Landed ones are never changed: a change is a new one at the end. */
export const keyringMigrations = [KeyringSchema1764000000000, KeyProviders1764460800000] as const;

/** Time of the newest one, as the migrator writes it into `schema_version`. */
export const keyringVersion = BigInt(/\d{13}$/.exec(new KeyProviders1764460800000().name)?.[0] ?? 0);
