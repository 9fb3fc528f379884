import { setTimeout as pause } from 'node:timers/promises';
import { createDataSource } from '@centralita/event-store';
import { PlatformError } from '@centralita/contracts';
import type { DataSource, MigrationInterface } from 'typeorm';
import { describeError, type Logger } from '../logger.js';

/** One number for all migrators of a database: the second waits for the first and then finds nothing to do. */
const MIGRATION_LOCK = 7_106_229_418;

/** Classes of hand-written migrations, in order; the event store's comes first. */
export type Migrations = readonly (new () => MigrationInterface)[];

const nameOf = (migration: Migrations[number]): string => new migration().name ?? migration.name;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Applies what is missing, each migration in its own transaction, one migrator at a time. The application role may then read which
 * migrations there are: a service waits with its readiness until its own are.
 */
export const runMigrations = async (options: {
  readonly url: string;
  readonly migrations: Migrations;
  readonly appRole?: string;
}): Promise<string[]> => {
  const dataSource = createDataSource({
    url: options.url,
    poolSize: 2,
    migrations: options.migrations,
    statementTimeoutMs: 0,
    applicationName: 'centralita-migrate',
  });
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const done = await dataSource.runMigrations({ transaction: 'each' });
    const rows = (await lock.query('select current_database() as name')) as { name: string }[];
    const role = options.appRole ?? `${rows[0]?.name}_app`;
    const known = (await lock.query('select 1 from pg_roles where rolname = $1', [role])) as unknown[];
    if (known.length > 0) await lock.query(`grant select on migrations to ${quoted(role)}`);
    await lock.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    return done.map((migration) => migration.name);
  } finally {
    await lock.release();
    await dataSource.destroy();
  }
};

/** Names of the migrations that this build needs and the database has not got. */
export const missingMigrations = async (dataSource: DataSource, migrations: Migrations): Promise<string[]> => {
  const wanted = migrations.map(nameOf);
  const rows: { name: string }[] = await dataSource.query('select name from migrations where name = any($1)', [wanted]);
  const applied = new Set(rows.map((row) => row.name));
  return wanted.filter((name) => !applied.has(name));
};

/**
 * Connects, and waits until the schema is there: migrations are a job of their own, and a pod that starts before it holds its
 * readiness instead of crashing. Gives up when aborted.
 */
export const connectWhenMigrated = async (
  dataSource: DataSource,
  migrations: Migrations,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  let told = '';
  for (;;) {
    let waiting: string;
    try {
      if (!dataSource.isInitialized) await dataSource.initialize();
      const missing = migrations.length === 0 ? [] : await missingMigrations(dataSource, migrations);
      if (missing.length === 0) return;
      waiting = `for ${missing.length} migrations`;
    } catch (error) {
      const { code } = describeError(error) as { code?: string };
      waiting = `for the database (${code ?? 'unknown'})`;
    }
    if (waiting !== told) logger.warn({ waiting }, 'waiting');
    told = waiting;
    await pause(250, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new PlatformError('DRAINING', 'stopped before the database was ready');
  }
};
