import { createDatabase, withClient } from '@centralita/testing-engines';
import type { StartContext } from '@centralita/tool-start';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { instrumentDatabase, type Observed } from '../collect/instruments.js';
import type { Stack } from './stack.js';

type Urls = StartContext['databases'][Observed];
type Table = { readonly name: string; readonly columns: readonly string[]; readonly rows: number };

/** A logical copy of one service's database at one moment: files of the server's own COPY, and where its counters stood. */
export type Dump = {
  readonly database: Observed;
  readonly tables: readonly Table[];
  readonly counters: readonly { readonly name: string; readonly value: string; readonly called: boolean }[];
  readonly rows: number;
  readonly folder: string;
  remove(): Promise<void>;
};

const fileOf = ({ folder }: Pick<Dump, 'folder'>, { name }: Pick<Table, 'name'>): string =>
  join(folder, name.replaceAll(/[^a-z0-9_.]/g, '_'));
const listOf = ({ columns }: Pick<Table, 'columns'>): string => columns.map((column) => escapeIdentifier(column)).join(', ');

/**
 * What pg_dump does, whose binary is not among those of the packaged server: every table in one snapshot, by a role that sees all rows.
 * Row-level security is forced, so the owner of the tables would copy none of them, in silence. The schema is not in it: migrations make
 * it where it is restored.
 */
export const dumpDatabase = async ({ context }: Pick<Stack, 'context'>, database: Observed): Promise<Dump> => {
  const folder = await mkdtemp(join(tmpdir(), 'centralita-dump-'));
  // The server writes the files, under whichever account it has here.
  await chmod(folder, 0o777);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    return await withClient(context.databases[database].adminUrl, async (client) => {
      await client.query('begin isolation level repeatable read read only');
      const { rows: found } = await client.query<{ name: string; columns: string[] }>(
        `select format('%I.%I', n.nspname, c.relname) as name,
                array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = '') as columns
           from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
          where c.relkind = 'r' and n.nspname in ('public', 'observed') and c.relname <> 'migrations'
            and a.attnum > 0 and not a.attisdropped
          group by 1 order by 1`,
      );
      const tables: Table[] = [];
      for (const table of found) {
        const { rowCount } = await client.query(
          `copy ${table.name} (${listOf(table)}) to ${escapeLiteral(fileOf({ folder }, table))} with (format binary)`,
        );
        tables.push({ ...table, rows: rowCount ?? 0 });
      }
      const { rows: sequences } = await client.query<{ name: string }>(
        `select format('%I.%I', schemaname, sequencename) as name from pg_sequences where schemaname in ('public', 'observed')`,
      );
      const counters: Dump['counters'][number][] = [];
      for (const { name } of sequences) {
        const { rows } = await client.query<{ value: string; called: boolean }>(
          `select last_value as value, is_called as called from ${name}`,
        );
        if (rows[0]) counters.push({ name, ...rows[0] });
      }
      await client.query('commit');
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      if (!tables.some(({ name, rows: events }) => name === 'public.events' && events > 0))
        throw new Error(`the dump of ${database} holds no events: its role does not see them`);
      return { database, tables, counters, rows, folder, remove };
    });
  } catch (error) {
    await remove();
    throw error;
  }
};

/** Puts a dump into a new, migrated database of that name, on any server. Fails when a row is missing there. */
export const restoreDatabase = async (
  { context, fleet }: Pick<Stack, 'context' | 'fleet'>,
  dump: Dump,
  target: { readonly adminUrl: string; readonly name: string },
): Promise<Urls> => {
  const { password } = new URL(context.databases[dump.database].appUrl);
  const urls = await createDatabase(target.adminUrl, { name: target.name, password });
  const [role = ''] = rolesOf(dump.database);
  const { script, env } = fleet.specOf(role);
  await fleet.run({
    name: `migrate ${target.name}`,
    script,
    args: ['migrate'],
    env: { ...env, DATABASE_URL: urls.appUrl, RELAY_DATABASE_URL: urls.relayUrl, DATABASE_MIGRATOR_URL: urls.ownerUrl },
  });
  await instrumentDatabase(urls.adminUrl);
  await withClient(urls.adminUrl, async (client) => {
    await client.query('begin');
    // No trigger may take what is restored for something new.
    await client.query('set local session_replication_role = replica');
    await client.query(`truncate ${dump.tables.map(({ name }) => name).join(', ')}`);
    for (const table of dump.tables) {
      const { rowCount } = await client.query(
        `copy ${table.name} (${listOf(table)}) from ${escapeLiteral(fileOf(dump, table))} with (format binary)`,
      );
      if (rowCount !== table.rows) throw new Error(`${rowCount} rows of ${table.name} were restored, and ${table.rows} dumped`);
    }
    for (const { name, value, called } of dump.counters)
      await client.query('select setval($1::regclass, $2::bigint, $3)', [name, value, called]);
    await client.query('commit');
    await client.query('analyze');
  });
  return urls;
};

/** Processes that work on a database. */
export const rolesOf = (database: Observed): readonly string[] =>
  database === 'ingest' ? ['ingest-webhook', 'ingest-media', 'ingest-sender'] : [database.replaceAll('_', '-')];

/** From its next start on a service works on that database, and so do checks and collectors. */
export const pointAt = ({ context, fleet }: Pick<Stack, 'context' | 'fleet'>, database: Observed, urls: Urls): void => {
  context.databases[database] = urls;
  for (const role of rolesOf(database)) fleet.configure(role, { DATABASE_URL: urls.appUrl, RELAY_DATABASE_URL: urls.relayUrl });
};
