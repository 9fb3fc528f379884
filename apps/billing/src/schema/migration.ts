import { tenantTable } from '@centralita/event-store';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = [
  `create table usage (
    tenant_id uuid not null,
    message_ref text not null,
    participant text not null,
    charge_kind text not null,
    subject_key uuid not null,
    waba_id text not null,
    phone_number_id text not null,
    market_country text,
    market_prefix text,
    month text,
    revision int not null default 0,
    outcome jsonb,
    primary key (tenant_id, message_ref, participant, charge_kind),
    check ((outcome is null) = (revision = 0)),
    check ((outcome is null) = (month is null))
  )`,
  `create index usage_month on usage (tenant_id, waba_id, month) where month is not null`,
  `create table usage_evidence (
    tenant_id uuid not null,
    message_ref text not null,
    participant text not null,
    charge_kind text not null,
    event_id uuid not null,
    place bigint not null,
    status text not null,
    provider_time timestamptz not null,
    recorded_time timestamptz not null,
    pricing jsonb,
    primary key (tenant_id, message_ref, participant, charge_kind, event_id)
  )`,
  `create table rate_card (
    tenant_id uuid not null,
    card_id uuid not null,
    body jsonb not null,
    primary key (tenant_id, card_id)
  )`,
];

/** Tables of the usage fold. All of them can be thrown away and filled again from the log. */
export class BillingTables1764000100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...tables, ...['usage', 'usage_evidence', 'rate_card'].flatMap(tenantTable)])
      await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table rate_card, usage_evidence, usage');
  }
}
