import { PlatformError } from '@centralita/contracts';
import { Client } from '@centralita/event-store/connection';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import { keyringVersion } from './migration.js';
import type { KeyState } from './subject-keys.js';

export type TenantRow = {
  readonly reference: Buffer;
  readonly wrapping: Buffer;
  readonly commitment: Buffer;
  /** Who wrapped the three, and with which version of its key. */
  readonly provider: string;
  readonly key_version: string;
};
export type SubjectRow = {
  readonly subject_id: string;
  readonly key_id: string;
  readonly state: KeyState;
  readonly wrapped: Buffer | null;
};
export type NewSubject = { readonly subjectId: string; readonly keyId: string; readonly wrapped: Buffer };

type Statement = { readonly text: string; readonly values: readonly unknown[] };

const readSubjects = (subjectIds: readonly string[]): Statement => ({
  text: 'select subject_id, key_id, state, wrapped from subject_key where subject_id = any($1::uuid[])',
  values: [subjectIds],
});

/** Rows of the keyring database. Every access is one transaction with the tenant set; row-level security closes it otherwise. */
export class KeyStore {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    this.#pool = new Pool({
      Client,
      connectionString: databaseUrl,
      max: 4,
      pipeline: true,
      connectionTimeoutMillis: 1500,
      // A new connection costs the server more than hundreds of statements.
      idleTimeoutMillis: 10 * 60_000,
      statement_timeout: 5000,
      application_name: 'keyring',
    });
    // A connection that breaks is replaced at the next use. The pool listens to idle ones only: one that breaks between two statements of
    // whoever has it would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => void client.on('error', () => undefined));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** The tenant's wrapped keys; `fresh` is stored when there are none. Of two processes that create them, one wins and both use it. */
  async tenant(tenantId: string, fresh: () => Promise<TenantRow>): Promise<TenantRow> {
    const read = { text: 'select reference, wrapping, commitment, provider, key_version from tenant_key', values: [] };
    const [existing] = await this.#inTenant<TenantRow>(tenantId, [read]);
    if (existing) return existing;
    const { reference, wrapping, commitment, provider, key_version: version } = await fresh();
    const [row] = await this.#inTenant<TenantRow>(tenantId, [
      {
        text: `insert into tenant_key (tenant_id, reference, wrapping, commitment, provider, key_version)
               values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id) do nothing`,
        values: [tenantId, reference, wrapping, commitment, provider, version],
      },
      read,
    ]);
    if (!row) throw new PlatformError('KEY_UNAVAILABLE', 'the tenant key was not stored', { tenantId });
    return row;
  }

  /** One sentence about what keeps this process from the keyring's rows, or null. */
  async problem(): Promise<string | null> {
    const release = 'run `centralita ops keyring migrate` of this release';
    try {
      const client = await this.#connect();
      try {
        await client.query('select provider, key_version from tenant_key limit 0');
        return (await refuses(client)) ? TOO_NEW : null;
      } finally {
        client.release();
      }
    } catch (error) {
      const code = codeOf(error);
      if (code === '42P01') return `the keyring database has no schema yet: ${release}`;
      if (code === '42703') return `the keyring database is older than this release: ${release}`;
      return `the keyring database does not let this process in (${code})`;
    }
  }

  async subjects(tenantId: string, subjectIds: readonly string[]): Promise<SubjectRow[]> {
    return this.#inTenant(tenantId, [readSubjects(subjectIds)]);
  }

  /** Stores what is missing, in one statement and in order (unsorted inserts deadlock), then reads the winners again. */
  async insertSubjects(tenantId: string, subjects: readonly NewSubject[]): Promise<SubjectRow[]> {
    return this.#inTenant(tenantId, [
      {
        text: `insert into subject_key (tenant_id, subject_id, key_id, state, wrapped)
               select $1, s, k, 'live', w from unnest($2::uuid[], $3::uuid[], $4::bytea[]) as new(s, k, w) order by s
               on conflict (tenant_id, subject_id) do nothing`,
        values: [
          tenantId,
          subjects.map((subject) => subject.subjectId),
          subjects.map((subject) => subject.keyId),
          subjects.map((subject) => subject.wrapped),
        ],
      },
      readSubjects(subjects.map((subject) => subject.subjectId)),
    ]);
  }

  /** Moves a key forward, or puts the mark where no key ever was. A tombstone stays what it is. */
  async setState(tenantId: string, subjectId: string, keyId: string, state: Exclude<KeyState, 'live'>): Promise<void> {
    await this.#inTenant(tenantId, [
      {
        text: `insert into subject_key as k (tenant_id, subject_id, key_id, state) values ($1, $2, $3, $4)
               on conflict (tenant_id, subject_id) do update
                 set state = excluded.state, changed_at = now(),
                     wrapped = case when excluded.state = 'destroyed' then null else k.wrapped end
                 where k.state <> 'destroyed'`,
        values: [tenantId, subjectId, keyId, state],
      },
    ]);
  }

  /** Runs the statements in one transaction, pipelined in one round trip, and gives the rows of the last one. */
  async #inTenant<Row extends object>(tenantId: string, statements: readonly Statement[]): Promise<Row[]> {
    const client = await this.#connect();
    const settled = await Promise.allSettled([
      client.query('begin'),
      client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]),
      ...statements.map((statement) => client.query<Row>(statement.text, [...statement.values])),
      client.query('commit'),
    ]);
    const failed = settled.find((result) => result.status === 'rejected');
    // A connection whose transaction did not end cleanly is not given to anybody else.
    client.release(failed !== undefined);
    if (failed) throw unavailable(failed.reason);
    const last = settled.at(-2) as PromiseFulfilledResult<QueryResult<Row>>;
    return last.value.rows;
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

const TOO_NEW =
  'the keyring database is too new for this release, which it refuses: start the newer release, or restore the database';

/** What the migrator has written of the oldest release that may work here; a keyring that it has not migrated says nothing. */
const refuses = async (client: PoolClient): Promise<boolean> => {
  const { rows: there } = await client.query<{ told: boolean }>(
    `select coalesce(has_table_privilege(to_regclass('schema_version'), 'select'), false) as told`,
  );
  if (there[0]?.told !== true) return false;
  const { rows } = await client.query<{ oldest_reader: string }>('select oldest_reader from schema_version');
  return BigInt(rows[0]?.oldest_reader ?? 0) > keyringVersion;
};

const codeOf = (error: unknown): string => {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (cause !== undefined) return codeOf(cause);
  return typeof code === 'string' ? code : 'unknown';
};

const unavailable = (cause: unknown): PlatformError =>
  new PlatformError('DATABASE_UNAVAILABLE', 'the keyring database did not answer', {}, { cause });
