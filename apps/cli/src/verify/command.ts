import { isPlatformError } from '@centralita/contracts';
import { parseVerifierKey, type Trust, type VerifierKey } from '@centralita/domain-ledger';
import { Command, InvalidArgumentError } from 'commander';
import { reasonOf, type Io, type Outcome } from '../io.js';
import { checkConsistency, checkExport, checkLog, checkNote, checkProof, type File } from './checks.js';
import { sha256, verifyEd25519 } from './crypto.js';
import { asJson, EXIT_CODES, overall, resultLine, textLines, type Report } from './report.js';

type Options = { key: VerifierKey[]; json?: true; leaf?: string };
type Check = (files: readonly File[], trust: Trust, leaf: Uint8Array | null) => Promise<Report[]>;

const each =
  (check: (file: File, trust: Trust, leaf: Uint8Array | null) => Promise<Report>): Check =>
  (files, trust, leaf) =>
    Promise.all(files.map((file) => check(file, trust, leaf)));

const kinds = {
  note: ['signed notes and checkpoints', each(checkNote)],
  proof: [
    'proofs that a record is in the log (.tlog-proof, or the JSON of the API)',
    each((file, trust, leaf) => checkProof(file, leaf, trust)),
  ],
  consistency: ['proofs that a newer checkpoint only adds to an older one', each(checkConsistency)],
  export: ['exports: every record, its order, and that none is missing', each(checkExport)],
  fsck: [
    'a whole log: exports that together hold every record from leaf 0',
    async (files, trust) => [await checkLog(files, trust)],
  ],
} as const satisfies Record<string, readonly [string, Check]>;

const key = (text: string, before: VerifierKey[]): VerifierKey[] => {
  try {
    return [...before, parseVerifierKey(sha256, text)];
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    throw new InvalidArgumentError(error.message);
  }
};

const HELP = `
Exit codes: 0 ok, 1 tampered, 2 gap, 3 malformed, 4 unknown key, 64 wrong usage.
Nothing is fetched: a key must reach you by a way that you trust. Without one the files are checked
against themselves and the result is at best UNKNOWN KEY.`;

/** `centralita verify`: offline, no network, no database. */
export const verifyCommand = (io: Io, outcome: Outcome): Command => {
  const verify = new Command('verify').description('verify files of the access ledger, offline').addHelpText('after', HELP);
  for (const [name, [what, check]] of Object.entries(kinds)) {
    const command = verify
      .command(name)
      .description(`verify ${what}`)
      .argument('<file...>', 'files to verify')
      .option('--key <vkey>', 'verifier key of the log, name+id+key; may be repeated', key, [])
      .option('--json', 'print one JSON document');
    if (name === 'proof') command.option('--leaf <file>', 'the canonical bytes of the leaf, when the proof does not hold them');
    command.action(async (paths: string[], options: Options) => {
      const read = async (path: string): Promise<File> => ({
        name: path,
        bytes: await io.readFile(path).catch((error: unknown) => {
          return command.error(`error: cannot read ${path}: ${reasonOf(error)}`);
        }),
      });
      const files = await Promise.all(paths.map(read));
      const leaf = options.leaf === undefined ? null : (await read(options.leaf)).bytes;
      const reports = await check(files, { hash: sha256, verify: verifyEd25519, keys: options.key }, leaf);
      const verdict = overall(reports);
      if (options.json) io.out(asJson(name, reports));
      else for (const line of [...reports.flatMap(textLines), resultLine(verdict)]) io.out(line);
      outcome.exitCode = EXIT_CODES[verdict];
    });
  }
  return verify;
};
