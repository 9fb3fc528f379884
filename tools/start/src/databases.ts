import { createDatabase } from '@centralita/testing-engines';
import { Client, escapeLiteral } from 'pg';
import { createDataSource } from '@centralita/event-store';
import { keyringMigrations } from '@centralita/keyring';
import { StartProblem } from './problem.js';

export const databaseNames = ['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring'] as const;
export type DatabaseName = (typeof databaseNames)[number];
export type DatabaseUrls = { ownerUrl: string; appUrl: string; relayUrl: string; adminUrl: string };
export type Databases = Record<DatabaseName, DatabaseUrls>;

const query = async <Row extends object>(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> => {
  const client = new Client({ connectionString: url });
  // A server that goes away is told to the query under way; without a listener it would end this process as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
};

/** The databases of ours that exist, each with the mark that it bears (its comment). */
export const databaseMarks = async (adminUrl: string): Promise<Map<string, string | null>> => {
  const rows = await query<{ datname: string; mark: string | null }>(
    adminUrl,
    `SELECT datname, shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = ANY($1)`,
    [databaseNames],
  );
  return new Map(rows.map(({ datname, mark }) => [datname, mark]));
};

/** The checks compare all rows of all tenants: a role that row-level security binds would see none, and find nothing wrong. */
export const assertSeesAll = async (adminUrl: string): Promise<void> => {
  const [role] = await query<{ all: boolean }>(adminUrl, 'SELECT rolsuper AS all FROM pg_roles WHERE rolname = current_user');
  if (role?.all !== true)
    throw new StartProblem('--once looks behind row-level security: the role of DATABASE_URL must be a superuser');
};

/** Creates the databases and roles that are missing. `adminUrl` may create both; the services never see it. */
export const prepareDatabases = async (
  adminUrl: string,
  options: { password: string; /** What the databases are to say about themselves. */ mark: string },
): Promise<Databases> => {
  const made: [DatabaseName, DatabaseUrls][] = [];
  // One after the other: each CREATE DATABASE copies the same template, and two at once refuse each other.
  for (const name of databaseNames) {
    made.push([name, await createDatabase(adminUrl, { name, password: options.password })]);
    await query(adminUrl, `COMMENT ON DATABASE ${name} IS ${escapeLiteral(options.mark)}`);
  }
  return Object.fromEntries(made) as Databases;
};

/** The keyring has no service of its own that could migrate it. */
export const migrateKeyring = async (ownerUrl: string): Promise<void> => {
  const source = createDataSource({
    url: ownerUrl,
    poolSize: 1,
    migrations: keyringMigrations,
    applicationName: 'centralita-start',
  });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
};
