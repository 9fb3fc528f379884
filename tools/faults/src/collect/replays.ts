import type { BillingDigest } from '@centralita/contracts';
import type { History } from '@centralita/testing-kit';
import { changed, projectRoot, runNode, type DayResult, type Facts, type StartContext } from '@centralita/tool-start';
import { Random } from '@centralita/tool-simulator';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const cli = join(projectRoot, 'apps/cli/dist/main.js');
const Digests = z.object({ tenants: z.record(z.string(), z.object({ stateDigest: z.string().min(1) })) });
type Digests = z.infer<typeof Digests>['tenants'];

/**
 * The billing fold as the service has it, folded from the log, and folded from a copy of the log; and copies with one byte changed. Asks
 * the service over its public API, which is recorded: call it before the log is read.
 */
export const replaysOf = async (
  context: StartContext,
  day: Pick<DayResult, 'people'>,
): Promise<Pick<History, 'replays' | 'tamperings'>> => {
  const folder = join(context.folders.checks, 'history');
  await mkdir(folder, { recursive: true });
  const [dump, manifest] = [join(folder, 'log.ndjson'), join(folder, 'manifest.json')];
  const accounts = context.files.accounts;
  const fold = async (args: readonly string[]): Promise<Digests> => {
    const { exitCode, stdout, output } = await runNode(cli, ['replay', ...args, '--accounts', accounts, '--json']);
    if (exitCode !== 0) throw new Error(`the billing fold cannot be replayed: ${output}`);
    return Digests.parse(JSON.parse(stdout)).tenants;
  };
  const fromLog = await fold(['--brokers', context.brokers.join(','), '--dump', dump, '--manifest', manifest]);
  const fromCopy = await fold([dump]);

  const replays: History['replays'] = [];
  for (const tenant of context.tenants) {
    const clerk = day.people.get(tenant.billing.username);
    if (!clerk) throw new RangeError(`${tenant.billing.username} is not signed in`);
    const { body: live } = await clerk.get<BillingDigest>('/v1/billing-digest');
    for (const digest of [live.stateDigest, fromLog[tenant.tenantId]?.stateDigest, fromCopy[tenant.tenantId]?.stateDigest])
      replays.push({ manifest: `billing of ${tenant.name}`, digest: digest ?? 'no digest' });
  }

  const lines = (await readFile(dump, 'utf8')).trimEnd().split('\n');
  const random = new Random(context.seed, 'history replays');
  const tamperings: History['tamperings'] = [];
  for (const part of ['key', 'value', 'header'] as const) {
    const victim = random.integer(0, lines.length - 1);
    const record = JSON.parse(lines[victim] ?? '') as Parameters<typeof changed>[1];
    const copy = join(folder, `changed-${part}.ndjson`);
    await writeFile(copy, lines.with(victim, JSON.stringify(changed(random, record, part))).join('\n'));
    const { output } = await runNode(cli, ['replay', copy, '--accounts', accounts, '--expect', manifest]);
    tamperings.push({
      record: `${record.topic}/${record.partition}/${record.offset}`,
      named: /record (\S+) INVALID/.exec(output)?.[1] ?? null,
    });
  }
  return { replays, tamperings };
};

/** The size and root that each ledger has when it is derived from the event log again. */
export const rebuiltCheckpoints = async (facts: Facts): Promise<History['checkpoints']> => {
  const { script, env } = facts.context.service('audit-log');
  const { stdout, output } = await runNode(script, ['rebuild'], env);
  const ledgerOf = new Map(
    facts.of('audit.sequenced.v1', 'audit.leaf.sequenced.v1').map(({ event }) => [event.tenantid, event.data.logId]),
  );
  const found = [...stdout.matchAll(/log centralita\/(\S+) size (\d+) root (\S+)/g)].map(([, tenant = '', size, root = '']) => ({
    ledger: ledgerOf.get(tenant) ?? tenant,
    size: Number(size),
    root,
    rebuilt: true,
  }));
  if (found.length < ledgerOf.size) throw new Error(`the ledgers cannot be rebuilt: ${output}`);
  return found;
};
