import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Directory, send ledger and media jobs. No column holds personal data in clear: identifiers are blind indexes, contents envelopes. */
export class IngestSchema1764000100000 implements MigrationInterface {
  readonly name = 'IngestSchema1764000100000';

  async up(runner: QueryRunner): Promise<void> {
    const statements = [
      // Who an identifier belongs to, and since when. Only phones change hands; the other kinds have one row, from the beginning.
      `create table identity (
         tenant_id   uuid not null,
         kind        text not null check (kind in ('bsuid', 'parent_bsuid', 'phone', 'group')),
         blind_index text not null,
         since       timestamptz not null,
         subject_id  uuid not null,
         recorded_at timestamptz not null default now(),
         primary key (tenant_id, kind, blind_index, since),
         check (kind = 'phone' or since = '-infinity')
       )`,
      `create index identity_subject on identity (tenant_id, subject_id, kind)`,
      // A reply on its way: waiting -> claimed -> attempted -> [unknown] -> decided -> accepted | refused | unresolved; a late status
      // takes unresolved to decided again. The provider is called only by whoever moved the row to attempted. What was decided is
      // kept in outcome until it is on the log. A row that was rebuilt from the log has no contents until its request comes again.
      `create table send (
         tenant_id       uuid not null,
         send_id         uuid not null,
         seq             bigint generated always as identity,
         reply_id        uuid not null,
         conversation_id uuid not null,
         key             uuid not null,
         phone_number_id text not null,
         kind            text check (kind in ('text', 'template')),
         send_before     timestamptz,
         sealed          jsonb,
         flow            jsonb,
         state           text not null check (state in
                           ('waiting', 'claimed', 'attempted', 'unknown', 'decided', 'accepted', 'refused', 'unresolved')),
         outcome         jsonb,
         attempt         int not null default 1,
         not_before      timestamptz not null default '-infinity',
         lease_owner     uuid,
         lease_until     timestamptz,
         attempted_at    timestamptz,
         message_ref     text,
         country         text,
         prefix          text,
         created_at      timestamptz not null default now(),
         primary key (tenant_id, send_id),
         check (state <> 'decided' or outcome is not null),
         check (state not in ('waiting', 'claimed') or sealed is not null)
       )`,
      `create index send_open on send (tenant_id, phone_number_id, key, seq)
         where state in ('waiting', 'claimed', 'attempted', 'unknown', 'decided')`,
      `create index send_message_ref on send (tenant_id, message_ref) where message_ref is not null`,
      // Media to be fetched before the provider forgets it. waiting -> stored | lost.
      `create table media (
         tenant_id       uuid not null,
         media_id        uuid not null,
         key             uuid not null,
         subject_id      uuid not null,
         message_ref     text not null,
         phone_number_id text not null,
         mime_type       text not null,
         sha256          text,
         sealed          jsonb not null,
         provider_time   timestamptz not null,
         state           text not null check (state in ('waiting', 'stored', 'lost')),
         attempts        int not null default 0,
         not_before      timestamptz not null default '-infinity',
         lease_until     timestamptz,
         object_key      text,
         bytes           bigint,
         cipher_sha256   text,
         created_at      timestamptz not null default now(),
         primary key (tenant_id, media_id)
       )`,
      `create index media_waiting on media (tenant_id, not_before) where state = 'waiting'`,
      // How far the ledger has been compared with wa.outbound.v1; restored together with it.
      `create table ledger_position (
         partition   int primary key,
         next_offset bigint not null
       )`,
      ...['identity', 'send', 'media'].flatMap(tenantTable),
      `do $$ begin execute format('grant select, insert, update on ledger_position to %I',
         ${roleSql(process.env['DATABASE_APP_ROLE'])}); end $$`,
    ];
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['ledger_position', 'media', 'send', 'identity']) await runner.query(`drop table ${table}`);
  }
}

const roleSql = (role: string | undefined): string => (role ? `'${role.replaceAll("'", "''")}'` : `current_database() || '_app'`);

export const ingestMigration = IngestSchema1764000100000;
