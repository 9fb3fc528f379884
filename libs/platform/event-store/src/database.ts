import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { isPlatformError, PlatformError, Uuid } from '@centralita/contracts';
import type { ClientBase, PoolClient, QueryResult } from 'pg';
import { DataSource, QueryFailedError, type Logger, type MigrationInterface } from 'typeorm';
import { Client } from './connection.js';
import { databaseError, isRetryableTransaction } from './database-error.js';
import { prepared, statementOf } from './prepared.js';
import type { SystemTx, Tx } from './types.js';

export type DataSourceOptions = {
  readonly url: string;
  /** Most connections of this process. @default 10 */
  readonly poolSize?: number;
  /** Migration classes, the event store's first. */
  readonly migrations?: readonly (new () => MigrationInterface)[];
  /** A statement that runs longer is cancelled (TIMEOUT). 0 = no limit, for migrations. @default 15000 */
  readonly statementTimeoutMs?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
};

const IDLE_CONNECTION_MS = 10 * 60_000;

const quiet = (): void => undefined;
/** TypeORM prints failed statements and migrations to the console, with whatever values stand in them. The error itself says enough. */
const silent: Logger = {
  logQuery: quiet,
  logQueryError: quiet,
  logQuerySlow: quiet,
  logSchemaBuild: quiet,
  logMigration: quiet,
  log: quiet,
};

/** TypeORM for connections, transactions and migrations; it connects at the first use. Never synchronises a schema. */
export const createDataSource = (options: DataSourceOptions): DataSource =>
  new DataSource({
    type: 'postgres',
    url: options.url,
    poolSize: options.poolSize ?? 10,
    migrations: [...(options.migrations ?? [])],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    logger: silent,
    applicationName: options.applicationName ?? 'centralita',
    connectTimeoutMS: 5_000,
    // An idle connection that breaks is replaced at the next use; the error itself holds nothing that the next query would not say.
    poolErrorHandler: () => undefined,
    extra: {
      Client,
      // From the first moment on: TypeORM and the pool listen a little later, and an error that nobody hears ends the process.
      onConnect: (client: ClientBase) => void client.on('error', () => undefined),
      // A new connection costs the server more than hundreds of statements: its process, its authentication, its plans.
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      statement_timeout: options.statementTimeoutMs ?? 15_000,
      // Whoever holds a key's lock and does nothing blocks that customer.
      idle_in_transaction_session_timeout: 30_000,
      // Statements go out when they are made and not when the one before has been answered; the server takes them in that order.
      pipeline: true,
    },
  });

const MAX_RERUNS = 8;

/** By database, because a process may have several handles on one: whoever waits for commits must hear those of all. */
const appendListeners = new Map<string, Set<() => void>>();

const listenersOf = ({ options }: DataSource): Set<() => void> => {
  const url = 'url' in options && options.url !== undefined ? new URL(options.url) : undefined;
  if (!url) return new Set();
  const place = `${url.hostname}:${url.port || '5432'}${url.pathname}`;
  const listeners = appendListeners.get(place) ?? new Set();
  appendListeners.set(place, listeners);
  return listeners;
};

export type DatabaseHooks = {
  /** Row-level security has refused a statement: code wrote, or asked for, what its tenant is not set for. */
  readonly isolationGuardFired?: () => void;
};

const INSUFFICIENT_PRIVILEGE = '42501';

/** One database of one service: transactions with the tenant set, errors without values. */
export class Database {
  readonly #dataSource: DataSource;
  readonly #appendListeners: Set<() => void>;
  readonly #hooks: DatabaseHooks;
  #ready: Promise<unknown> | undefined;
  #closed = false;

  constructor(dataSource: DataSource, hooks: DatabaseHooks = {}) {
    this.#dataSource = dataSource;
    this.#hooks = hooks;
    this.#appendListeners = listenersOf(dataSource);
  }

  /**
   * One transaction that sees the rows of one tenant. It is run again, with all of `work`, after a deadlock or a serialisation
   * failure, at most eight times: `work` has no effect outside of the transaction.
   */
  async withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>, options: { commandId?: string } = {}): Promise<T> {
    mustBeUuid(tenantId);
    const begin = `start transaction; set local app.tenant_id = '${tenantId}'`;
    return this.#transaction((tx) => work({ ...tx, tenantId, ...options }), begin);
  }

  /**
   * One transaction without a tenant: row-level security is closed. For positions, leases, parked keys. Run again as withTenant is. As
   * everywhere, its first statements are on their way before the start of the transaction is answered. Should the start alone fail, they
   * would stand for themselves: the first to be made must be harmless then, and only those that need a tenant may be made with it.
   */
  async system<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.#transaction(work, 'start transaction');
  }

  /**
   * Called after a commit that appended events, by any handle of this process on this database; the relay uses it to look at once.
   * Returns how to stop.
   */
  onAppend(listener: () => void): () => void {
    this.#appendListeners.add(listener);
    return () => this.#appendListeners.delete(listener);
  }

  /** Runs pending migrations, each in its transaction. */
  async migrate(): Promise<string[]> {
    return driver(async () => {
      await this.#connected();
      return (await this.#dataSource.runMigrations()).map(({ name }) => name);
    });
  }

  /** For good: who asks afterwards is told DATABASE_UNAVAILABLE, and opens no connection that nobody would close. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#ready?.catch(() => undefined);
    if (this.#dataSource.isInitialized) await this.#dataSource.destroy();
  }

  async #connected(): Promise<void> {
    if (this.#closed) throw new PlatformError('DATABASE_UNAVAILABLE', 'this handle of the database is closed');
    if (this.#dataSource.isInitialized) return;
    this.#ready ??= this.#dataSource.initialize().finally(() => (this.#ready = undefined));
    await this.#ready;
  }

  async #transaction<T>(work: (tx: SystemTx) => Promise<T>, begin: string): Promise<T> {
    for (let run = 0; ; run += 1) {
      try {
        return await this.#once(work, begin);
      } catch (error) {
        if (run >= MAX_RERUNS || !isRetryableTransaction(error)) throw error;
        // Jitter, so that the two who met do not meet again.
        await pause(Math.min(5 * 2 ** run, 200) * (0.5 + Math.random()));
      }
    }
  }

  async #once<T>(work: (tx: SystemTx) => Promise<T>, begin: string): Promise<T> {
    const runner = await driver(async () => {
      await this.#connected();
      return this.#dataSource.createQueryRunner();
    });
    try {
      // TypeORM keeps the connection. Statements go to the driver itself, which can prepare them by name.
      const client = (await driver(() => runner.connect())) as PoolClient;
      const tx = transaction(client, begin);
      try {
        const result = await work(tx);
        await tx[MARKS].commit();
        if (tx[MARKS].appended) for (const listener of this.#appendListeners) listener();
        return result;
      } catch (error) {
        // The first error is the one that counts; a rollback fails only when the connection is gone, and then nothing was committed.
        await client.query('rollback').catch(() => undefined);
        if (isPlatformError(error) && error.details['sqlState'] === INSUFFICIENT_PRIVILEGE) this.#hooks.isolationGuardFired?.();
        throw error;
      }
    } finally {
      await runner.release();
    }
  }
}

/** Errors of the driver only: what `work` throws is its own. */
const driver = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw databaseError(error);
  }
};

const MARKS = Symbol('marks of a transaction');
/** Shared by all copies of a transaction's handle. */
type Marks = { readonly [MARKS]: { appended: boolean; replays: boolean; readonly commit: () => Promise<void> } };

/** Called by the event store, so that the commit wakes the relay. A replay folds, it does not decide: there it throws. */
export const markAppended = (tx: SystemTx & Partial<Marks>): void => {
  const marks = tx[MARKS];
  if (marks?.replays) throw new PlatformError('INTERNAL', 'a handler appended events while a projection was rebuilt');
  if (marks) marks.appended = true;
};

/** From here on, and until it is called with false, appending in this transaction is a bug. */
export const markReplay = (tx: SystemTx & Partial<Marks>, replays: boolean): void => {
  if (tx[MARKS]) tx[MARKS].replays = replays;
};

/** Statements that are made in one go leave in one write: what they cost both sides is mostly the system call for each. */
const leaveTogether = (client: PoolClient): void => {
  // What pg itself corks for the messages of one statement; its types do not show it.
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
};

const send = async (client: PoolClient, sql: string, parameters?: readonly unknown[]): Promise<QueryResult> => {
  leaveTogether(client);
  try {
    return await client.query(statementOf(sql, parameters));
  } catch (error) {
    // In TypeORM's wrapping, by which an error of the driver is told from all others.
    throw databaseError(new QueryFailedError(sql, [], error as Error));
  }
};

/** A transaction that has been asked for. What is done in it goes out behind that, in the order in which it is made. */
const transaction = (client: PoolClient, begin: string): SystemTx & Marks => {
  const begun = send(client, begin);
  const posted: Promise<unknown>[] = [];
  // The server refuses everything behind a statement that failed: what is told is why.
  let failure: unknown;
  const run = async (sql: string, parameters: readonly unknown[]): Promise<QueryResult> => {
    try {
      const [, result] = await Promise.all([begun, send(client, sql, parameters)]);
      if (/^rollback to /i.test(sql)) failure = undefined;
      return result;
    } catch (error) {
      failure ??= error;
      throw failure;
    }
  };
  const commit = async (): Promise<void> => {
    const outcomes = await Promise.allSettled([begun, ...posted, send(client, 'commit')]);
    const [start, committed] = [outcomes[0], outcomes.at(-1)];
    // The server answers the commit of a transaction that failed by rolling back, without an error: all of it would be lost in silence.
    // Where none has begun, it answers as if there had been one.
    const done = committed?.status === 'fulfilled' && (committed.value as QueryResult).command === 'COMMIT';
    if (done && start?.status === 'fulfilled') return;
    const refused = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    throw refused ? refused.reason : new PlatformError('INTERNAL', 'a statement of the transaction failed and nobody minded');
  };
  begun.catch(() => undefined);
  return {
    [MARKS]: { appended: false, replays: false, commit },
    query: async <Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
      ((await run(sql, parameters)).rows ?? []) as Row[],
    execute: async (sql: string, parameters: readonly unknown[] = []): Promise<number> =>
      (await run(sql, parameters)).rowCount ?? 0,
    post: (sql: string, parameters: readonly unknown[] = []): void => {
      const sent = run(sql, parameters);
      // Told to whoever waits next.
      sent.catch(() => undefined);
      posted.push(sent);
    },
  };
};

const SET_TENANT = prepared(`select set_config('app.tenant_id', $1, true)`);

const mustBeUuid = (tenantId: string): void => {
  if (!Uuid.safeParse(tenantId).success) throw new PlatformError('VALIDATION_FAILED', 'the tenant id is not a UUID');
};

/** Until the transaction ends, or the next call. To be repeated after ROLLBACK TO SAVEPOINT, which does not always restore it. */
export const setTenant = (tx: SystemTx, tenantId: string): void => {
  mustBeUuid(tenantId);
  tx.post(SET_TENANT, [tenantId]);
};
