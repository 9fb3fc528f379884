import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@centralita/testing-engines';
import pg from 'pg';
import { createDataSource, Database } from '../database.js';
import { eventStoreMigrations } from './migrations.js';

const snapshotFile = new URL('../../schema.snapshot.txt', import.meta.url);

/** Everything that a migration can change, one fact a line; names of the test's roles replaced. */
const describeSchema = async (client: pg.Client, database: string): Promise<string> => {
  const lists = [
    `select format('column %s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) line
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace`,
    `select format('table %s rls=%s forced=%s %s', relname, relrowsecurity, relforcerowsecurity, array_to_string(reloptions, ' ')) line
      from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    `select format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) line
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'`,
    `select format('index %s', indexdef) line from pg_indexes where schemaname = 'public'`,
    `select format('policy %s.%s to %s for %s using %s check %s', tablename, policyname, array_to_string(roles, ','), cmd, qual, with_check) line
      from pg_policies where schemaname = 'public'`,
    `select format('grant %s on %s to %s', string_agg(privilege_type, ',' order by privilege_type), table_name, grantee) line
      from information_schema.role_table_grants where table_schema = 'public' and grantee not like '%\\_owner' group by table_name, grantee`,
    `select format('grant %s on %s.%s to %s', privilege_type, table_name, column_name, grantee) line
      from information_schema.role_column_grants g where table_schema = 'public' and grantee not like '%\\_owner'
        and not exists (select from information_schema.role_table_grants t where t.table_schema = 'public' and t.table_name = g.table_name
                          and t.grantee = g.grantee and t.privilege_type = g.privilege_type)`,
    `select format('trigger %s', pg_get_triggerdef(oid)) line from pg_trigger where not tgisinternal`,
    `select format('function %s(%s) returns %s security %s by %s: %s', proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid),
        case when prosecdef then 'definer' else 'invoker' end, coalesce(array_to_string(proacl, ' '), 'public'), md5(regexp_replace(prosrc, '\\s+', ' ', 'g'))) line
      from pg_proc where pronamespace = 'public'::regnamespace`,
  ];
  const lines: string[] = [];
  for (const sql of lists) lines.push(...(await client.query<{ line: string }>(sql)).rows.map(({ line }) => line.trim()).sort());
  return `${lines.join('\n').replaceAll(database, '<db>')}\n`;
};

describe('eventStoreMigrations', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let dataSource: ReturnType<typeof createDataSource>;

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'schema' });
    client = new pg.Client({ connectionString: database.adminUrl });
    await client.connect();
    dataSource = createDataSource({ url: database.ownerUrl, migrations: eventStoreMigrations });
    await dataSource.initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await client.end();
    await database.drop();
  });

  it('makes the schema of the snapshot (UPDATE_SCHEMA_SNAPSHOT=1 writes it)', async () => {
    await dataSource.runMigrations();
    await client.query('drop table if exists migrations');
    const found = await describeSchema(client, database.name);
    if (process.env['UPDATE_SCHEMA_SNAPSHOT'] === '1') await writeFile(snapshotFile, found);
    expect(found).toBe(await readFile(snapshotFile, 'utf8'));
  });

  it('leaves nothing behind on its way down', async () => {
    const runner = dataSource.createQueryRunner();
    for (const Migration of [...eventStoreMigrations].reverse()) await new Migration().down(runner);
    await runner.release();
    expect((await describeSchema(client, database.name)).trim()).toBe('');
  });

  it('says which roles are missing before it changes anything', async () => {
    process.env['DATABASE_APP_ROLE'] = 'nobody_of_that_name';
    try {
      const owner = new Database(createDataSource({ url: database.ownerUrl, migrations: eventStoreMigrations }));
      await expect(owner.migrate()).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        details: { missing: ['nobody_of_that_name'] },
      });
      await owner.close();
    } finally {
      delete process.env['DATABASE_APP_ROLE'];
    }
  });
});
