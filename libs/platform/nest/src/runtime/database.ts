import { createDataSource, databaseError } from '@centralita/event-store';
import type { DataSource, MigrationInterface } from 'typeorm';
import type { Metrics } from '../metrics.js';
import type { Health } from './health.js';
import { sentenceOf, type Surroundings } from './surroundings.js';

/** One number for all migrators of a database: the second waits for the first and then finds nothing to do. */
const MIGRATION_LOCK = 7_106_229_418;

/**
 * A migration that takes something away (contracts) names the oldest migration that a release must know to live without it: older
 * releases are refused from then on.
 */
export type Migration = MigrationInterface & { readonly oldestReader?: string };
/** Classes of hand-written migrations, in order; the event store's comes first. */
export type Migrations = readonly (new () => Migration)[];

const nameOf = (migration: Migrations[number]): string => new migration().name ?? migration.name;

/** Names end in the time of their writing, which orders them across packages: `Sessions1764000000000`. */
const timeOf = (name: string): bigint => BigInt(/\d{13}$/.exec(name)?.[0] ?? 0);
const newest = (names: readonly string[]): bigint => names.map(timeOf).reduce((most, time) => (time > most ? time : most), 0n);

/** Version of a schema: the time of its newest migration. */
export const schemaVersionOf = (migrations: Migrations): bigint => newest(migrations.map(nameOf));
const oldestReaderOf = (migrations: Migrations): bigint =>
  newest(migrations.map((migration) => new migration().oldestReader ?? '0'));

/** What a schema says of itself, beside the list of migrations that TypeORM keeps. One row. */
const VERSION_TABLE = [
  `create table if not exists schema_version (
     one boolean primary key default true check (one),
     version bigint not null,
     oldest_reader bigint not null,
     migrated_at timestamptz not null default now()
   )`,
  `comment on table schema_version is 'times of migrations: the newest one here, and the one that a release must know to work on it'`,
] as const;

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
    for (const statement of VERSION_TABLE) await lock.query(statement);
    // Never back: an older migrator that comes later finds nothing to do, and says nothing else.
    await lock.query(
      `insert into schema_version (version, oldest_reader) values ($1, $2)
       on conflict (one) do update set version = greatest(schema_version.version, excluded.version),
         oldest_reader = greatest(schema_version.oldest_reader, excluded.oldest_reader),
         migrated_at = case when excluded.version > schema_version.version then now() else schema_version.migrated_at end`,
      [String(schemaVersionOf(options.migrations)), String(oldestReaderOf(options.migrations))],
    );
    const known = (await lock.query('select 1 from pg_roles where rolname = $1', [role])) as unknown[];
    if (known.length > 0) await lock.query(`grant select on migrations, schema_version to ${quoted(role)}`);
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

/** `skew`: how many migrations are missing, or -1 when the schema is too new for this build. */
export type SchemaProblem = { readonly skew: number; readonly sentence: string };

/**
 * Whether this build may work on the schema that it finds: its own migrations must be there (newer ones may be, too: a release runs on the
 * schema of the next one), and the schema must not refuse it as too old. Null when it fits.
 */
export const schemaProblem = async (dataSource: DataSource, migrations: Migrations): Promise<SchemaProblem | null> => {
  if (migrations.length === 0) return null;
  const [row]: { name: string; there: boolean; versioned: boolean }[] = await dataSource.query(
    `select current_database() as name, to_regclass('migrations') is not null as there, to_regclass('schema_version') is not null as versioned`,
  );
  const database = `the schema of database ${row?.name}`;
  const mend = 'run `main.js migrate` of this release';
  if (!row?.there) return { skew: migrations.length, sentence: `${database} is not there yet: ${mend}` };
  const missing = await missingMigrations(dataSource, migrations);
  if (missing.length > 0)
    return {
      skew: missing.length,
      sentence: `${database} is older than this release: ${missing.length} of its migrations are missing, from ${missing[0]} on; ${mend}`,
    };
  if (!row.versioned) return null;
  const [version]: { oldest_reader: string }[] = await dataSource.query('select oldest_reader from schema_version');
  const own = schemaVersionOf(migrations);
  if (!version || BigInt(version.oldest_reader) <= own) return null;
  return {
    skew: -1,
    sentence: `${database} is too new for this release: it refuses releases older than ${version.oldest_reader}, and this one is ${own}; start the newer release, or restore the database`,
  };
};

export type WaitingForSchema = {
  readonly dataSource: DataSource;
  readonly migrations: Migrations;
  readonly surroundings: Surroundings;
  readonly health: Pick<Health, 'add'>;
  readonly metrics: Pick<Metrics, 'schemaSkew'>;
};

/**
 * Connects, and waits until the schema fits: migrations are a job of their own, and a pod that starts before it holds its readiness
 * instead of crashing. Afterwards it is looked at with each probe: the schema may move on while the process runs.
 */
export const connectWhenMigrated = async (options: WaitingForSchema): Promise<void> => {
  const { dataSource, migrations, surroundings, health, metrics } = options;
  const look = async (): Promise<string | null> => {
    const problem = await schemaProblem(dataSource, migrations);
    metrics.schemaSkew.set(problem?.skew ?? 0);
    return problem?.sentence ?? null;
  };
  await surroundings.until('database', async () => {
    try {
      if (!dataSource.isInitialized) await dataSource.initialize();
      return null;
    } catch (error) {
      return sentenceOf('the database does not let this process in', databaseError(error));
    }
  });
  await surroundings.until('schema', () =>
    look().catch((error: unknown) => sentenceOf('the schema cannot be looked at', databaseError(error))),
  );
  // An outage is told by the check of the database itself.
  health.add('schema', () => look().catch(() => null));
};
