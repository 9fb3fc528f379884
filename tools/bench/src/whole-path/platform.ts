// The platform as it is deployed: six processes with their own databases, brought up on the engines of the run.
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTopics, openEventLog } from '@centralita/event-log';
import { createDatabase, freePorts, until } from '@centralita/testing-engines';
import { runProgram, showComplaints, startProgram } from '../benches/child.js';
import { migrateKeyring } from '../benches/keyring.js';
import { TENANT } from '../benches/records.js';
import type { Ground } from '../bench.js';
import { ACCESS_TOKEN, NUMBERS, SECRET, WABA } from './traffic.js';

const databases = ['ingest', 'conversation', 'routing', 'billing', 'audit_log', 'keyring'] as const;
export type DatabaseName = (typeof databases)[number];
type Urls = Awaited<ReturnType<typeof createDatabase>>;

const services = [
  { name: 'webhook', app: 'ingest', database: 'ingest', env: { INGEST_ROLE: 'webhook' } },
  // The throughput that the provider gives a number that has been upgraded; its limit for others is not what is measured.
  { name: 'sender', app: 'ingest', database: 'ingest', env: { INGEST_ROLE: 'sender', SEND_RATE_PER_SECOND: '1000' } },
  { name: 'conversation', app: 'conversation', database: 'conversation', env: {} },
  { name: 'routing', app: 'routing', database: 'routing', env: {} },
  { name: 'billing', app: 'billing', database: 'billing', env: {} },
  { name: 'audit-log', app: 'audit-log', database: 'audit_log', env: {} },
] as const;
type Name = (typeof services)[number]['name'];

/** What is outside: where services find the gateway's keys and the provider. */
export type Outside = { readonly jwksUrl: string; readonly graphUrl: string };
export type Platform = {
  readonly urls: Readonly<Record<Name, string>>;
  readonly processes: Readonly<Record<Name, number>>;
  readonly databases: Readonly<Record<DatabaseName, Urls>>;
  readonly keyringMasterKey: Buffer;
  stop(): Promise<void>;
};

const main = (app: string): string => fileURLToPath(new URL(`../../../../apps/${app}/dist/main.js`, import.meta.url));

/** Registered numbers, as the provider's settings and as billing's accounts. */
const writeFiles = async (folder: string): Promise<Record<string, string>> => {
  await mkdir(join(folder, 'media'), { recursive: true });
  const files = {
    APPS_FILE: join(folder, 'apps.json'),
    ACCOUNTS_FILE: join(folder, 'accounts.json'),
    AUDIT_SIGNING_KEY_FILE: join(folder, 'ledger.pem'),
  };
  const numbers = NUMBERS.map((phoneNumberId) => ({
    phoneNumberId,
    wabaId: WABA,
    displayPhoneNumber: `34910${phoneNumberId}`,
    name: `Number ${phoneNumberId}`,
  }));
  const app = { app: 'bench', tenantId: TENANT, verifyToken: 'verify', secrets: { current: SECRET }, accessToken: ACCESS_TOKEN };
  await writeFile(files.APPS_FILE, JSON.stringify({ apps: [{ ...app, numbers }] }));
  const account = { tenantId: TENANT, wabaId: WABA, timeZone: 'Europe/Madrid', currency: 'USD', numbers };
  await writeFile(files.ACCOUNTS_FILE, JSON.stringify({ accounts: [account] }));
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(files.AUDIT_SIGNING_KEY_FILE, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { ...files, MEDIA_DIR: join(folder, 'media') };
};

const makeDatabases = async (databaseUrl: string): Promise<Record<DatabaseName, Urls>> => {
  const run = randomBytes(4).toString('hex');
  const made: [DatabaseName, Urls][] = [];
  // One after the other: two CREATE DATABASE at once copy the same template and refuse each other.
  for (const name of databases)
    made.push([
      name,
      await createDatabase(databaseUrl, { name: `bench_${name}_${run}`, password: randomBytes(12).toString('hex') }),
    ]);
  return Object.fromEntries(made) as Record<DatabaseName, Urls>;
};

/** Topics, databases, migrations, processes; resolves when each process is ready. */
export const startPlatform = async ({ brokers, databaseUrl, folder }: Ground, outside: Outside): Promise<Platform> => {
  const log = await openEventLog({ brokers: [...brokers], clientId: 'bench' });
  await ensureTopics(log.admin, { replicationFactor: 1, minInsyncReplicas: 1 });
  await log.close();
  const [urls, files] = [await makeDatabases(databaseUrl), await writeFiles(join(folder, 'platform'))];
  const keyringMasterKey = randomBytes(32);
  await migrateKeyring(urls.keyring.ownerUrl);
  for (const { app, database, env } of services.filter(({ name }) => name !== 'sender'))
    await runProgram({ args: [main(app), 'migrate'], env: { ...env, DATABASE_MIGRATOR_URL: urls[database].ownerUrl } });

  const ports = await freePorts(2 * services.length);
  const at = (port: number | undefined): string => `http://127.0.0.1:${String(port)}`;
  const running = services.map(({ name, app, database, env }, index) => {
    const child = startProgram({
      args: ['--enable-source-maps', main(app)],
      env: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        KAFKA_BROKERS: brokers.join(','),
        HTTP_PORT: String(ports[2 * index]),
        METRICS_PORT: String(ports[2 * index + 1]),
        DATABASE_URL: urls[database].appUrl,
        RELAY_DATABASE_URL: urls[database].relayUrl,
        KEYRING_DATABASE_URL: urls.keyring.appUrl,
        KEYRING_MASTER_KEY: keyringMasterKey.toString('base64'),
        GATEWAY_JWKS_URL: outside.jwksUrl,
        GRAPH_API_URL: outside.graphUrl,
        SERVICE_INSTANCE: name,
        ...files,
        ...env,
      },
    });
    showComplaints(name, child);
    return { name, child, url: at(ports[2 * index]), readyUrl: `${at(ports[2 * index + 1])}/health/ready` };
  });
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(({ child }) => ended(child)));
  };
  try {
    await Promise.all(running.map(({ name, child, readyUrl }) => ready(name, child, readyUrl)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: Object.fromEntries(running.map(({ name, url }) => [name, url])) as Platform['urls'],
    processes: Object.fromEntries(running.map(({ name, child }) => [name, child.pid])) as Platform['processes'],
    databases: urls,
    keyringMasterKey,
    stop,
  };
};

const ready = async (name: string, child: ChildProcess, url: string): Promise<void> => {
  const look = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} before it was ready`);
    const response = await fetch(url).catch(() => null);
    await response?.body?.cancel();
    return response?.ok ?? false;
  };
  await until(look, { timeoutMs: 120_000, describe: `${name} to be ready` });
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
};
