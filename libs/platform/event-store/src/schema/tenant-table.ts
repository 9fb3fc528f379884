import { PlatformError } from '@centralita/contracts';

export const quoteIdentifier = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** SQL that closes a table to everybody who has not named a tenant in this transaction, its owner included. */
export const tenantPolicy = (table: string): string[] => [
  `alter table ${table} enable row level security`,
  `alter table ${table} force row level security`,
  // After a transaction the setting is '' and not null; without nullif the cast would throw on a pooled connection.
  `create policy tenant on ${table}
     using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
     with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`,
];

/**
 * SQL for a migration of a service, to be run after the CREATE TABLE: row-level security, enabled and forced, and all row rights for
 * the application role. That role is DATABASE_APP_ROLE, else `<database>_app`. The table has a column `tenant_id uuid not null` that
 * leads its keys. `name` may carry a schema.
 */
export const tenantTable = (name: string): string[] => {
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/.test(name))
    throw new PlatformError('CONFIGURATION_INVALID', 'not a table name', { name });
  const role = process.env['DATABASE_APP_ROLE'];
  const roleSql = role ? `'${role.replaceAll("'", "''")}'` : `current_database() || '_app'`;
  return [
    ...tenantPolicy(name),
    `do $$ begin execute format('grant select, insert, update, delete on ${name} to %I', ${roleSql}); end $$`,
  ];
};
