import { ConsistencyView, ProofView, isPlatformError } from '@centralita/contracts';
import {
  finding,
  fromHex,
  fromUtf8,
  fsck,
  grouped,
  leafHash,
  malformed,
  openCheckpoint,
  parseExport,
  parseNote,
  parseTlogProof,
  toHex,
  verifyExport,
  verifyHeads,
  verifyNote,
  verifyProof,
  type ExportReport,
  type Finding,
  type TlogProof,
  type Trust,
} from '@centralita/domain-ledger';
import type { z } from 'zod';
import type { Report } from './report.js';

/** A file as it was read: its bytes decide, its name names. */
export type File = { readonly name: string; readonly bytes: Uint8Array };

/** Runs a check; a file that cannot be read as what it claims to be is a finding that names it. */
const guarded = async (files: readonly File[], check: () => Promise<Omit<Report, 'files'>>): Promise<Report> => {
  const names = files.map((file) => file.name);
  try {
    return { files: names, ...(await check()) };
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    const text = `${names.join(', ')} MALFORMED: ${error.message}`;
    return { files: names, heads: [], lines: [], findings: [finding('malformed', text)] };
  }
};

const json = <Schema extends z.ZodObject>(what: string, schema: Schema, text: string): z.infer<Schema> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed(what, 'not JSON');
  }
  const parsed = schema.strict().safeParse(value);
  if (!parsed.success) return malformed(what, parsed.error.issues.map((issue) => issue.path.join('.') || issue.code).join(', '));
  return parsed.data as z.infer<Schema>;
};

/** A signed note; one with the text of a checkpoint must be signed by the key that is named after its origin. */
export const checkNote = (file: File, trust: Trust): Promise<Report> =>
  guarded([file], async () => {
    const text = fromUtf8(file.bytes, 'note');
    const note = parseNote(text);
    const opened = await openCheckpoint(text, trust.keys, trust.verify).catch((error: unknown) => {
      if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
      return null;
    });
    const verdict = opened?.verdict ?? (await verifyNote(note, trust.keys, trust.verify));
    const what = opened ? `checkpoint ${opened.checkpoint.origin} size ${opened.checkpoint.size}` : `note ${file.name}`;
    switch (verdict.state) {
      case 'tampered': {
        const wrong = `${what} INVALID: signature of key ${verdict.key.keyId} doesn't match`;
        return { heads: [], lines: [], findings: [finding('tampered', wrong)] };
      }
      case 'unknown_key': {
        const unknown = `${what} UNKNOWN KEY: signed by ${verdict.signers.join(', ')}`;
        return { heads: [], lines: [], findings: [finding('unknown_key', unknown)] };
      }
      case 'verified': {
        const signedBy = verdict.keys.map((key) => key.keyId);
        if (opened) return { heads: [{ checkpoint: opened.checkpoint, signedBy }], lines: [], findings: [] };
        return { heads: [], lines: [`${what} signed by key ${signedBy.join(', ')}`], findings: [] };
      }
      default:
        return verdict satisfies never;
    }
  });

/** The API's view of a proof says everything twice; both must agree, so that no part of the file can be changed unnoticed. */
const proofOfView = (text: string, findings: Finding[], trust: Trust): TlogProof => {
  const view = json('proof', ProofView, text);
  const proof = parseTlogProof(view.tlogProof);
  const same =
    view.leafIndex === proof.index.toString() &&
    view.checkpoint === proof.checkpoint &&
    view.path.join() === proof.path.map(toHex).join() &&
    view.size === parseNote(proof.checkpoint).text.split('\n')[1] &&
    (proof.extra === null || view.leafHash === toHex(leafHash(trust.hash, proof.extra)));
  if (!same) {
    const wrong = `record (leaf ${grouped(proof.index)}) INVALID: the view and its proof file differ`;
    findings.push(finding('tampered', wrong, { leafIndex: proof.index }));
  }
  return proof;
};

export const checkProof = (file: File, leaf: Uint8Array | null, trust: Trust): Promise<Report> =>
  guarded([file], async () => {
    const findings: Finding[] = [];
    const text = fromUtf8(file.bytes, 'proof');
    const proof = text.startsWith('{') ? proofOfView(text, findings, trust) : parseTlogProof(text);
    const report = await verifyProof(proof, trust, leaf ?? proof.extra);
    findings.push(...report.findings);
    const valid = findings.every(({ verdict }) => verdict === 'unknown_key');
    const line = `record ${report.recordId ?? ''} (leaf ${grouped(proof.index)}) valid`;
    return { heads: report.head ? [report.head] : [], lines: valid ? [line] : [], findings };
  });

export const checkConsistency = (file: File, trust: Trust): Promise<Report> =>
  guarded([file], async () => {
    const view = json('consistency', ConsistencyView, fromUtf8(file.bytes, 'consistency'));
    const report = await verifyHeads(
      { from: view.fromNote, to: view.toNote, path: view.path.map((node) => fromHex(node)) },
      trust,
    );
    const findings = [...report.findings];
    const { from, to } = report;
    if (from && to && (from.checkpoint.size.toString() !== view.from || to.checkpoint.size.toString() !== view.to))
      findings.push(
        finding('tampered', `consistency INVALID: sizes ${view.from} and ${view.to} are not those of the checkpoints`),
      );
    const valid = findings.every(({ verdict }) => verdict === 'unknown_key');
    return {
      heads: [from, to].filter((head) => head !== null),
      lines: valid ? [`consistency ${view.from} to ${view.to} valid`] : [],
      findings,
    };
  });

const ofExport = ({ heads, records, subjects, findings }: ExportReport): Omit<Report, 'files'> => ({
  heads,
  lines: [
    `records ${grouped(records.valid)}/${grouped(records.total)} valid`,
    `subjects ${grouped(subjects.complete)}/${grouped(subjects.total)} complete`,
  ],
  counts: {
    records: { good: records.valid, total: records.total },
    subjects: { good: subjects.complete, total: subjects.total },
  },
  findings,
});

export const checkExport = (file: File, trust: Trust): Promise<Report> =>
  guarded([file], async () => ofExport(await verifyExport(parseExport(fromUtf8(file.bytes, 'export')), trust)));

/** All files together are one log. */
export const checkLog = (files: readonly File[], trust: Trust): Promise<Report> =>
  guarded(files, async () =>
    ofExport(
      await fsck(
        files.map((file) => parseExport(fromUtf8(file.bytes, file.name))),
        trust,
      ),
    ),
  );
