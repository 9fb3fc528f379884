import { createDatabase } from '@centralita/testing-engines';
import { Client } from 'pg';
import { createDataSource } from '@centralita/event-store';
import { keyringMigration } from '@centralita/keyring';
import { StartProblem } from './problem.js';

export const databaseNames = ['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'gateway', 'keyring'] as const;
export type DatabaseName = (typeof databaseNames)[number];
export type DatabaseUrls = { ownerUrl: string; appUrl: string; relayUrl: string; adminUrl: string };
export type Databases = Record<DatabaseName, DatabaseUrls>;

/** Creates the databases and roles that are missing. `adminUrl` may create both; the services never see it. */
export const prepareDatabases = async (adminUrl: string, password: string): Promise<Databases> => {
  const made: [DatabaseName, DatabaseUrls][] = [];
  // One after the other: each CREATE DATABASE copies the same template, and two at once refuse each other.
  for (const name of databaseNames) made.push([name, await createDatabase(adminUrl, { name, password })]);
  return Object.fromEntries(made) as Databases;
};

/** A checked run judges everything it finds. On a server that it did not start it refuses to begin with somebody's data. */
export const assertNoDatabases = async (adminUrl: string): Promise<void> => {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname = ANY($1)', [
      databaseNames,
    ]);
    const found = rows.map((row) => row.datname).join(', ');
    if (found !== '')
      throw new StartProblem(`the server of DATABASE_URL has databases already (${found}): --once needs a server without them`);
  } finally {
    await client.end();
  }
};

/** The keyring has no service of its own that could migrate it. */
export const migrateKeyring = async (ownerUrl: string): Promise<void> => {
  const source = createDataSource({
    url: ownerUrl,
    poolSize: 1,
    migrations: [keyringMigration],
    applicationName: 'centralita-start',
  });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
};
