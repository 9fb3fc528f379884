import { isPlatformError, type ErrorCode } from '@centralita/contracts';
import { dumpLine, LeafCollector } from '@centralita/event-log';
import { Command } from 'commander';
import type { z } from 'zod';
import { EXIT_UNAVAILABLE, reasonOf, type Io, type Outcome } from '../io.js';
import { Accounts, BillingFold } from './fold.js';
import { firstDifference, Manifest, partitionsOf, type Difference } from './manifest.js';
import { readDump, readLog, type ReadRecord } from './source.js';

type Options = { brokers?: string; accounts: string; expect?: string; dump?: string; manifest?: string; json?: true };
type Replayed = { readonly records: number; readonly manifest: Manifest; readonly changed: Difference | null };

const EXIT = { equal: 0, different: 1, malformed: 3 } as const;

/** What an error in reading says about the log; all but two say only that it could not be read. */
export const exitOf = (code: ErrorCode): number =>
  code === 'RECORD_INVALID' ? EXIT.malformed : code === 'OFFSET_OUT_OF_RANGE' ? EXIT.different : EXIT_UNAVAILABLE;

const HELP = `
Reads a dump FILE, or the whole log of --brokers. Every record's hash is checked, the billing fold is run from offset 0, and with
--expect both are compared with an earlier run: the first record or row that differs is named.
Exit codes: 0 equal or nothing to compare with, 1 tampered or different, 3 malformed, 64 wrong usage, 69 the log cannot be read.`;

/** `centralita replay`: the billing fold from a log or a file, its digest, and the first difference. */
export const replayCommand = (io: Io, outcome: Outcome): Command => {
  const command = new Command('replay')
    .description('replay the billing fold from a log or a dump of it')
    .argument('[file]', 'dump of the log, one record a line')
    .option('--brokers <list>', 'read the log itself, from these brokers')
    .requiredOption('--accounts <file>', 'the accounts and their time zones, as the billing service is given them')
    .option('--expect <manifest>', 'compare with the manifest of an earlier run')
    .option('--dump <file>', 'write what was read as a dump')
    .option('--manifest <file>', 'write the manifest of this run')
    .option('--json', 'print one JSON document')
    .addHelpText('after', HELP);

  /** A document that the user gave; wrong usage when it cannot be read, malformed when it is something else. */
  const document = async <Schema extends z.ZodType>(
    path: string,
    what: string,
    schema: Schema,
  ): Promise<z.output<Schema> | null> => {
    const bytes = await io
      .readFile(path)
      .catch((error: unknown) => command.error(`error: cannot read ${path}: ${reasonOf(error)}`));
    const parsed = schema.safeParse(jsonOf(bytes));
    if (parsed.success) return parsed.data;
    io.err(`${path}: not ${what}`);
    outcome.exitCode = EXIT.malformed;
    return null;
  };

  const replay = async (file: string | undefined, accounts: Accounts, options: Options): Promise<Replayed> => {
    const fold = new BillingFold(accounts);
    const leaves = new LeafCollector();
    const dump = options.dump === undefined ? null : await io.openFile(options.dump);
    let records = 0;
    let changed: Difference | null = null;
    const take = async (read: readonly ReadRecord[]): Promise<void> => {
      for (const { record, leaf, intact } of read) {
        if (!intact)
          changed ??= { where: `${record.topic}/${record.partition}/${record.offset}`, what: "hash value doesn't match" };
        leaves.add(record, leaf);
        fold.apply(record);
      }
      records += read.length;
      await dump?.write(read.map(({ record }) => `${dumpLine(record)}\n`).join(''));
    };
    try {
      if (file !== undefined) await readDump(io.readLines(file), take);
      else await readLog((options.brokers ?? '').split(','), dump ? 'by partition' : 'together', take);
    } finally {
      await dump?.close();
    }
    return { records, changed, manifest: { version: 1, partitions: partitionsOf(leaves.leaves()), ...fold.result() } };
  };

  command.action(async (file: string | undefined, options: Options) => {
    if ((file === undefined) === (options.brokers === undefined)) command.error('error: give either a file or --brokers');
    const accounts = await document(options.accounts, 'an accounts file', Accounts);
    const expected = options.expect === undefined ? undefined : await document(options.expect, 'a manifest', Manifest);
    if (accounts === null || expected === null) return;
    let replayed: Replayed;
    try {
      replayed = await replay(file, accounts, options);
    } catch (error) {
      if (!isPlatformError(error)) return command.error(`error: cannot read or write a file: ${reasonOf(error)}`);
      io.err(`${file ?? 'log'}: ${error.message}`);
      outcome.exitCode = exitOf(error.code);
      return;
    }
    const { records, manifest, changed } = replayed;
    const difference = changed ?? (expected ? firstDifference(expected, manifest) : null);
    if (options.manifest !== undefined) await io.writeFile(options.manifest, `${JSON.stringify(manifest)}\n`);
    outcome.exitCode = difference ? EXIT.different : EXIT.equal;
    if (options.json)
      return io.out(JSON.stringify({ records, foldVersion: manifest.foldVersion, tenants: manifest.tenants, difference }));
    io.out(`records ${records.toLocaleString('en')} in ${manifest.partitions.length} partitions`);
    for (const [tenant, { stateDigest, rows }] of Object.entries(manifest.tenants))
      io.out(`tenant ${tenant} ${rows.toLocaleString('en')} rows ${stateDigest}`);
    io.out(
      difference
        ? `record ${difference.where} INVALID: ${difference.what}\nresult: DIFFERENT`
        : expected
          ? 'result: EQUAL'
          : 'result: REPLAYED',
    );
  });
  return command;
};

const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};
