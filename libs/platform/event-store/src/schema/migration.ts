import { PlatformError } from '@centralita/contracts';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { functions, functionSignatures } from './functions.js';
import { tableNames, tables, tenantTables } from './tables.js';
import { quoteIdentifier, tenantPolicy } from './tenant-table.js';

/** Quoted names of the roles that rights go to. Throws CONFIGURATION_INVALID for those that are missing. */
export const rolesOf = async (runner: QueryRunner): Promise<{ app: string; relay: string }> => {
  const [row] = (await runner.query('select current_database() as name')) as { name: string }[];
  const roles = {
    app: process.env['DATABASE_APP_ROLE'] || `${row?.name}_app`,
    relay: process.env['DATABASE_RELAY_ROLE'] || `${row?.name}_relay`,
  };
  const found = (await runner.query('select rolname from pg_roles where rolname = any ($1)', [[roles.app, roles.relay]])) as {
    rolname: string;
  }[];
  const missing = [roles.app, roles.relay].filter((role) => !found.some(({ rolname }) => rolname === role));
  if (missing.length > 0)
    throw new PlatformError('CONFIGURATION_INVALID', `database roles are missing: ${missing.join(', ')}`, { missing });
  return { app: quoteIdentifier(roles.app), relay: quoteIdentifier(roles.relay) };
};

/** Application roles own nothing and change no event; the relay reads all tenants and moves heads, nothing else. */
const grants = (app: string, relay: string): string[] => [
  ...functionSignatures.map((signature) => `revoke execute on function ${signature} from public`),
  `grant execute on function ${functionSignatures[0]} to ${app}`,
  `grant execute on function ${functionSignatures[1]}, ${functionSignatures[2]} to ${relay}`,

  `grant select, insert, update (last_version, dirty_since) on key_head to ${app}`,
  `grant select, insert, update on domain_head to ${app}`,
  `grant select, insert on events to ${app}`,
  `grant select, insert, update (result) on command to ${app}`,
  `grant select, insert, update on consumer_offset to ${app}`,
  `grant select, insert, update, delete on key_watermark, inbox, parked_key, parked_record to ${app}`,
  `grant select on feed_head, feed_entry to ${app}`,

  `grant select, update (published_version, dirty_since) on key_head to ${relay}`,
  `grant select on events to ${relay}`,
  `grant select, insert, update (last_seq) on feed_head to ${relay}`,
  `grant insert on feed_entry to ${relay}`,
  ...['key_head', 'events', 'feed_head', 'feed_entry'].map(
    (table) => `create policy relay on ${table} to ${relay} using (true) with check (true)`,
  ),
];

/**
 * Tables, functions, row-level security and grants of the event store, the first migration of every service that has a database.
 * Run as the owner role. Roles: DATABASE_APP_ROLE and DATABASE_RELAY_ROLE, else `<database>_app` and `<database>_relay`.
 */
export class EventStore1763856000000 implements MigrationInterface {
  readonly name = 'EventStore1763856000000';

  async up(runner: QueryRunner): Promise<void> {
    const { app, relay } = await rolesOf(runner);
    const policies = tenantTables.flatMap(tenantPolicy);
    for (const statement of [...tables, ...functions, ...policies, ...grants(app, relay)]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table ${tableNames.join(', ')}`);
    for (const signature of [...functionSignatures, 'refuse_change()']) await runner.query(`drop function ${signature}`);
  }
}

export const eventStoreMigration = EventStore1763856000000;
