import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { startPostgres, withClient } from '@centralita/testing-engines';
import { startKafka } from '@centralita/tool-kafka';
import { bringUp } from '../bring-up.js';
import { runNode } from '../checks/commands.js';
import { rebuildInDatabase } from '../checks/replay.js';
import { untilSettled } from '../checks/settled.js';
import type { StartContext } from '../context.js';
import { playDay } from '../day/play.js';
import { claim, foldersIn, projectRoot } from '../folders.js';
import { Supervisor } from '../processes.js';
import { Progress } from '../progress.js';
import { dayPolicy } from '../seed/policy.js';
import { seedAll } from '../seeding.js';

export type RehearsalOptions = {
  readonly seed: number;
  readonly customers: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
};

export type Rehearsal = {
  readonly records: number;
  readonly segments: number;
  readonly logDigest: string;
  /** What was compared, and whether it was equal on the restored cluster. */
  readonly equal: Readonly<Record<string, boolean>>;
  /** By step, in seconds. */
  readonly seconds: Readonly<Record<string, number>>;
};

const cli = join(projectRoot, 'apps/cli/dist/main.js');

type Answer = Readonly<Record<string, unknown>>;
type Tenants = Awaited<ReturnType<typeof rebuildInDatabase>>['tenants'];
type Reference = { readonly tenants: Tenants; readonly ledgers: readonly string[]; readonly manifest: string };

/**
 * The loss of a cluster, rehearsed: a day is played, the log is sealed and the archive checked, the cluster is thrown away, an empty one is
 * filled from the archive, and billing and ledger are derived again there. Whatever was derived before must come out the same.
 */
export const rehearse = async (options: RehearsalOptions): Promise<Rehearsal> => {
  const { seed, customers, signal, progress } = options;
  const folders = foldersIn(join(projectRoot, '.centralita', 'rehearsal'));
  const release = await claim(folders, { fresh: true });
  await rm(join(folders.state, 'given.json'), { force: true });
  const archive = { folder: join(folders.state, 'archive'), key: join(folders.state, 'archive.pem') };
  await rm(archive.folder, { recursive: true, force: true });
  const second = join(folders.state, 'kafka-restored');
  await rm(second, { recursive: true, force: true });
  await writeFile(archive.key, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }), {
    mode: 0o600,
  });
  const supervisor = new Supervisor({ logs: folders.logs, quiet: true, print: (line) => progress.line(line) });
  const stops: (() => Promise<void>)[] = [() => supervisor.stop('all')];
  const seconds: Record<string, number> = {};
  const timed = async <T>(name: string, what: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await progress.step(name, what, work);
    seconds[name] = Math.round(performance.now() - started) / 1000;
    return result;
  };
  const ops = async (brokers: readonly string[], ...args: string[]): Promise<Answer> => {
    const env = { KAFKA_BROKERS: brokers.join(','), ARCHIVE_DIR: archive.folder, ARCHIVE_SIGNING_KEY_FILE: archive.key };
    const ran = await runNode(cli, ['ops', ...args, '--json'], env);
    if (ran.exitCode !== 0) throw new Error(`centralita ops ${args.join(' ')} ended with ${ran.exitCode}: ${ran.output.trim()}`);
    return JSON.parse(ran.stdout) as Answer;
  };
  try {
    const postgres = await startPostgres({ dataDir: folders.postgres });
    stops.push(() => postgres.stop());
    const kafka = await startKafka({ dataDir: folders.kafka, signal });
    stops.push(() => kafka.stop());
    const context = await bringUp({
      flags: { once: true, report: null, seed, customers, play: false, keepData: true, quiet: true, observe: false },
      externals: { brokers: kafka.brokers, databaseUrl: postgres.url, oidc: null },
      folders,
      supervisor,
      engines: { kafka: () => Promise.resolve(kafka), postgres: () => Promise.resolve(postgres) },
      progress,
      signal,
      anyPorts: true,
    });
    await timed('day', `play a day of ${customers} customers`, async () => {
      await seedAll(context, dayPolicy);
      await playDay(context);
      await untilSettled(context);
    });
    await timed('selftest', 'try the installation out', () => selfTests(context));
    await supervisor.stop('all');

    const filledAgain = await timed('projection', 'fill projections again', () => rebuildProjections(context));

    const sealed = await timed('archive', 'seal the log', () => ops(kafka.brokers, 'archive', 'run'));
    await timed('verify', 'check the archive', () => ops([], 'archive', 'verify'));
    const before = await timed('reference', 'derive billing and ledger from the first cluster', () =>
      derive(context, kafka.brokers),
    );
    await kafka.stop();

    const restored = await startKafka({ dataDir: second, signal });
    stops.push(() => restored.stop());
    const answer = await timed('restore', 'fill an empty cluster', () =>
      ops(restored.brokers, 'restore', '--replication-factor', '1', '--min-insync', '1'),
    );
    const manifest = join(folders.checks, 'before.json');
    await mkdir(folders.checks, { recursive: true });
    await writeFile(manifest, before.manifest);
    const after = await timed('rebuild', 'derive billing and ledger from the restored cluster', () =>
      derive(context, restored.brokers),
    );
    const fold = await runNode(cli, [
      ...['replay', '--brokers', restored.brokers.join(','), '--accounts', context.files.accounts, '--expect', manifest],
    ]);
    return {
      records: Number(sealed['records']),
      segments: Number(sealed['segments']),
      logDigest: String(answer['logDigest']),
      equal: {
        'projections, filled again beside those that serve': filledAgain,
        'the log, record by record': answer['logDigest'] === sealed['logDigest'] && answer['records'] === sealed['records'],
        'billing, rebuilt in a database':
          Object.keys(before.tenants).length > 0 && isDeepStrictEqual(after.tenants, before.tenants),
        'billing, replayed in memory': fold.exitCode === 0,
        'ledgers, with every checkpoint and every stored leaf':
          before.ledgers.length > 0 && isDeepStrictEqual(after.ledgers, before.ledgers),
      },
      seconds,
    };
  } finally {
    for (const stop of stops) await stop();
    await release();
  }
};

/** What the operators' command says of a healthy installation: nothing waits, everybody is ready, nobody gets in. Throws when not. */
const selfTests = async (context: StartContext): Promise<void> => {
  const env: Record<string, string> = { KAFKA_BROKERS: context.brokers.join(',') };
  for (const [name, url] of Object.entries(context.metricsUrls)) {
    const setting = name.toUpperCase().replaceAll('-', '_');
    env[`SELFTEST_${setting}_HEALTH_URL`] = new URL(url).origin;
    env[`SELFTEST_${setting}_URL`] = `http://127.0.0.1:${context.service(name).env['HTTP_PORT']}`;
  }
  const metrics = Object.values(context.metricsUrls).flatMap((url) => ['--metrics', new URL(url).origin]);
  const tests = ['health', 'schema', 'authz', 'roundtrip'].map((test) => ['selftest', test]);
  for (const args of [...tests, ['topics', 'check'], ['relay', 'status', ...metrics], ['lag']]) {
    const ran = await runNode(cli, ['ops', ...args], env);
    if (ran.exitCode !== 0) throw new Error(`centralita ops ${args.join(' ')} ended with ${ran.exitCode}: ${ran.output.trim()}`);
  }
};

/** What can be filled again, and where it stands. */
const projections = [
  { service: 'billing', database: 'billing', name: 'usage', tables: ['usage', 'usage_evidence', 'rate_card'] },
  { service: 'audit-log', database: 'audit_log', name: 'facts', tables: ['assignment', 'task_queue', 'agent_queues'] },
] as const;

/** By the operators' command, with the settings of the service and as the owner of the tables; true when every row is there again. */
const rebuildProjections = async (context: StartContext): Promise<boolean> => {
  let equal = true;
  for (const { service, database, name, tables } of projections) {
    const { adminUrl, ownerUrl } = context.databases[database];
    const before = await contentsOf(adminUrl, tables);
    const { env } = context.service(service);
    const ran = await runNode(cli, ['ops', 'projection', 'rebuild', name], { ...env, DATABASE_MIGRATOR_URL: ownerUrl });
    if (ran.exitCode !== 0) throw new Error(`the projection ${name} was not filled again: ${ran.output.trim()}`);
    equal &&= before.rows > 0 && isDeepStrictEqual(await contentsOf(adminUrl, tables), before);
  }
  return equal;
};

/** Without commitments: that of an erased customer cannot be made again. */
const contentsOf = (adminUrl: string, tables: readonly string[]): Promise<{ rows: number; digests: (string | null)[] }> =>
  withClient(adminUrl, async (client) => {
    const digests: (string | null)[] = [];
    let rows = 0;
    for (const table of tables) {
      const { rows: found } = await client.query<{ count: string; digest: string | null }>(
        `select count(*), md5(string_agg(row::text, '' order by row::text)) as digest
         from (select to_jsonb(t) - 'subject' as row from ${table} t) as r`,
      );
      digests.push(found[0]?.digest ?? null);
      rows += Number(found[0]?.count);
    }
    return { rows, digests };
  });

/** What follows from the log alone: the usage fold in a fresh database and in memory, and every ledger with its root. */
const derive = async (context: StartContext, brokers: readonly string[]): Promise<Reference> => {
  const at = (name: string): ReturnType<StartContext['service']> => {
    const { script, env } = context.service(name);
    return { script, env: { ...env, KAFKA_BROKERS: brokers.join(',') } };
  };
  const { tenants } = await rebuildInDatabase(context.adminDatabaseUrl, at('billing'));
  const ledger = at('audit-log');
  const rebuilt = await runNode(ledger.script, ['rebuild'], ledger.env);
  if (rebuilt.exitCode !== 0) throw new Error(`the ledgers differ: ${rebuilt.output.trim().split('\n').slice(-5).join(' | ')}`);
  const file = join(context.folders.state, 'replay-manifest.json');
  const replayed = await runNode(cli, [
    ...['replay', '--brokers', brokers.join(','), '--accounts', context.files.accounts, '--manifest', file, '--json'],
  ]);
  if (replayed.exitCode !== 0) throw new Error(`the replay failed: ${replayed.output.trim()}`);
  return {
    tenants,
    ledgers: rebuilt.stdout
      .split('\n')
      .filter((line) => line.startsWith('log '))
      .sort(),
    manifest: await readFile(file, 'utf8'),
  };
};
