import type { BillingDigest } from '@centralita/contracts';
import { createDatabase, dropDatabase } from '@centralita/testing-engines';
import { Random } from '@centralita/tool-simulator';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartContext } from '../context.js';
import { projectRoot } from '../folders.js';
import { runNode } from './commands.js';
import type { Facts } from './facts.js';
import { Contradictions, type Finding } from './finding.js';

const cli = join(projectRoot, 'apps/cli/dist/main.js');

type Replayed = { readonly records: number; readonly tenants: Record<string, { stateDigest: string; rows: number }> };
type Line = {
  topic: string;
  partition: number;
  offset: string;
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
};

/**
 * Check 8. The billing fold rebuilt from offset 0, by the service in a fresh database and by the command line in memory, has the digest of
 * the live one. A copy of the log with one byte changed, in a key, a value or a header, fails and the record is named.
 */
export const checkReplay = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const folder = facts.context.folders.checks;
  await mkdir(folder, { recursive: true });
  const service = facts.context.service('billing');

  const database = await rebuildInDatabase(facts.context.adminDatabaseUrl, service);

  const accounts = facts.context.files.accounts;
  const [dump, manifest] = [join(folder, 'log.ndjson'), join(folder, 'manifest.json')];
  const first = await runNode(cli, [
    'replay',
    '--brokers',
    facts.context.brokers.join(','),
    '--accounts',
    accounts,
    '--dump',
    dump,
    '--manifest',
    manifest,
    '--json',
  ]);
  if (first.exitCode !== 0) throw new Error(`the replay from the log failed: ${first.output}`);
  const memory = JSON.parse(first.stdout) as Replayed;

  let rows = 0;
  for (const tenant of facts.context.tenants) {
    const clerk = facts.day.people.get(tenant.billing.username);
    if (!clerk) throw new RangeError(`${tenant.billing.username} is not signed in`);
    const { body: live } = await clerk.get<BillingDigest>('/v1/billing-digest');
    rows += live.rows;
    found.expect(live.rows > 0, `${tenant.name}: the fold has no rows`);
    found.expect(
      database.tenants[tenant.tenantId]?.stateDigest === live.stateDigest,
      `${tenant.name}: the fresh database has ${database.tenants[tenant.tenantId]?.rows} rows, live are ${live.rows}, and the digests differ`,
    );
    found.expect(
      memory.tenants[tenant.tenantId]?.stateDigest === live.stateDigest,
      `${tenant.name}: the command line has ${memory.tenants[tenant.tenantId]?.rows} rows, live are ${live.rows}, and the digests differ`,
    );
  }

  const lines = (await readFile(dump, 'utf8')).trimEnd().split('\n');
  const again = await runNode(cli, ['replay', dump, '--accounts', accounts, '--expect', manifest]);
  found.expect(again.exitCode === 0, `the untouched dump is not equal: ${again.output}`);
  const random = new Random(facts.context.seed, 'replay');
  let tampered = 0;
  for (const part of ['key', 'value', 'header'] as const) {
    const victim = random.integer(0, lines.length - 1);
    const record = JSON.parse(lines[victim] ?? '') as Line;
    const copy = join(folder, `tampered-${part}.ndjson`);
    await writeFile(
      copy,
      [...lines.slice(0, victim), JSON.stringify(changed(random, record, part)), ...lines.slice(victim + 1)].join('\n'),
    );
    const ran = await runNode(cli, ['replay', copy, '--accounts', accounts, '--expect', manifest]);
    const name = `${record.topic}/${record.partition}/${record.offset}`;
    found.expect(
      ran.exitCode === 1 && ran.output.includes(`record ${name} INVALID`),
      `one byte of the ${part} of ${name} was changed: exit code ${ran.exitCode}, ${ran.output.trim().split('\n').slice(-2).join(' | ')}`,
    );
    tampered += 1;
  }
  return { figures: { records: memory.records, rows, tamperedCopies: tampered }, problems: found.list };
};

/** By the service itself, in a database of its own that goes afterwards: the server may be somebody else's. */
export const rebuildInDatabase = async (adminUrl: string, service: ReturnType<StartContext['service']>): Promise<Replayed> => {
  const name = `replay_${randomBytes(4).toString('hex')}`;
  const fresh = await createDatabase(adminUrl, { name, password: randomBytes(18).toString('base64url') });
  try {
    const env = { ...service.env, DATABASE_URL: fresh.appUrl, DATABASE_MIGRATOR_URL: fresh.ownerUrl };
    const migrated = await runNode(service.script, ['migrate'], env);
    if (migrated.exitCode !== 0) throw new Error(`the fresh database was not migrated: ${migrated.output}`);
    const rebuilt = await runNode(service.script, ['replay'], env);
    if (rebuilt.exitCode !== 0) throw new Error(`the rebuild failed: ${rebuilt.output}`);
    return JSON.parse(rebuilt.stdout) as Replayed;
  } finally {
    await dropDatabase(adminUrl, name);
  }
};

/** The record with one bit of one byte flipped. */
export const changed = (random: Random, record: Line, part: 'key' | 'value' | 'header'): Line => {
  const flip = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    const at = random.integer(0, bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
    return bytes.toString('base64');
  };
  if (part === 'header') {
    const [name] = Object.keys(record.headers);
    return name === undefined
      ? { ...record, value: flip(record.value ?? '') }
      : { ...record, headers: { ...record.headers, [name]: flip(record.headers[name] ?? '') } };
  }
  return { ...record, [part]: flip(record[part] ?? '') };
};
