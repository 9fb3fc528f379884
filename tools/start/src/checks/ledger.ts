import type { CheckpointView, ConsistencyView, ExportBundle, ProofView } from '@centralita/contracts';
import { Random } from '@centralita/tool-simulator';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { projectRoot } from '../folders.js';
import { runNode } from './commands.js';
import type { Facts } from './facts.js';
import { Contradictions, type Finding } from './finding.js';

const PROOFS = 20;
/** Leaves that one export answer holds at most. */
const EXPORT_PAGE = 1000n;
const cli = join(projectRoot, 'apps/cli/dist/main.js');

/**
 * Check 7. Offline, with the command line and the log's public key alone: a checkpoint, 20 random inclusion proofs, the consistency of two
 * checkpoints and whole exports verify; a copy with one byte changed does not, and the record is named. A rebuild from the log reaches the
 * roots of all checkpoints.
 */
export const checkLedger = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const folder = facts.context.folders.checks;
  await mkdir(folder, { recursive: true });
  const random = new Random(facts.context.seed, 'ledger');
  const figures = { leaves: 0, proofs: 0, consistencies: 0, exports: 0, tamperedCopies: 0 };

  for (const tenant of facts.context.tenants) {
    const officer = facts.day.people.get(tenant.compliance.username);
    if (!officer) throw new RangeError(`${tenant.compliance.username} is not signed in`);
    const { body: checkpoint } = await officer.get<CheckpointView>('/v1/checkpoint');
    const size = BigInt(checkpoint.size);
    figures.leaves += Number(size);
    const save = async (name: string, contents: string): Promise<string> => {
      const path = join(folder, `${tenant.app}-${name}`);
      await writeFile(path, contents);
      return path;
    };
    const verify = async (kind: string, files: readonly string[], expected: number, what: string): Promise<string> => {
      const ran = await runNode(cli, ['verify', kind, ...files, '--key', checkpoint.verifierKey]);
      found.expect(
        ran.exitCode === expected,
        `${tenant.name}: ${what} gave exit code ${ran.exitCode}: ${ran.output.trim().split('\n').slice(-3).join(' | ')}`,
      );
      return ran.output;
    };

    await verify('note', [await save('checkpoint.txt', checkpoint.note)], 0, 'the checkpoint');
    const proofs: string[] = [];
    for (let index = 0; index < PROOFS; index += 1) {
      const leaf = random.integer(0, Number(size) - 1);
      const { body: proof } = await officer.get<ProofView>(`/v1/records/${leaf}/proof`);
      proofs.push(await save(`proof-${index}.json`, JSON.stringify(proof)));
    }
    await verify('proof', proofs, 0, `${PROOFS} inclusion proofs`);
    figures.proofs += proofs.length;

    const sizes = facts
      .of('audit.checkpoints.v1', 'audit.checkpoint.published.v1')
      .filter(({ event }) => event.tenantid === tenant.tenantId && BigInt(event.data.size) > 0n)
      .map(({ event }) => event.data.size);
    const earlier = sizes[random.integer(0, Math.max(0, sizes.length - 2))] ?? '1';
    const { body: consistency } = await officer.get<z.infer<typeof ConsistencyView>>(
      `/v1/consistency?from=${earlier}&to=${checkpoint.size}`,
    );
    await verify(
      'consistency',
      [await save('consistency.json', JSON.stringify(consistency))],
      0,
      'the consistency of two checkpoints',
    );
    figures.consistencies += 1;

    const exports: string[] = [];
    let last: ExportBundle | undefined;
    for (let from = 0n; from < size; from += EXPORT_PAGE) {
      const to = from + EXPORT_PAGE < size ? from + EXPORT_PAGE : size;
      const { body: bundle } = await officer.get<ExportBundle>(`/v1/exports?from=${from}&to=${to}`);
      exports.push(await save(`export-${from}.json`, JSON.stringify(bundle)));
      last = bundle;
    }
    await verify('export', exports, 0, 'the exports');
    figures.exports += exports.length;

    if (last) {
      const victim = random.integer(0, last.leaves.length - 1);
      const leaf = last.leaves[victim] ?? '';
      const at = leaf.indexOf('"occurredAt":"') + 15;
      const changed = `${leaf.slice(0, at)}${leaf[at] === '9' ? '8' : '9'}${leaf.slice(at + 1)}`;
      const tampered = { ...last, leaves: last.leaves.map((one, index) => (index === victim ? changed : one)) };
      const output = await verify(
        'export',
        [await save('tampered.json', JSON.stringify(tampered))],
        1,
        'a copy with one byte changed',
      );
      const index = (BigInt(last.from) + BigInt(victim)).toString();
      found.expect(
        output.replaceAll(',', '').includes(index),
        `${tenant.name}: the changed leaf ${index} is not named: ${output.trim().split('\n')[0]}`,
      );
      figures.tamperedCopies += 1;
    }
  }

  const service = facts.context.service('audit-log');
  const rebuilt = await runNode(service.script, ['rebuild'], service.env);
  found.expect(
    rebuilt.exitCode === 0,
    `the rebuild from the log differs: ${rebuilt.output.trim().split('\n').slice(-3).join(' | ')}`,
  );
  return { figures: { ...figures, rebuilt: rebuilt.exitCode === 0 ? 'same roots' : 'differs' }, problems: found.list };
};
