import { isPlatformError } from '@centralita/contracts';
import { dumpLine, LeafCollector, loadDump, openEventLog, type StoredRecord } from '@centralita/event-log';
import { Command } from 'commander';
import type { Io, Outcome } from '../io.js';
import { BillingFold, inputTopics } from './fold.js';
import { firstDifference, Manifest, partitionsOf, type Difference } from './manifest.js';

type Options = { brokers?: string; accounts: string; expect?: string; dump?: string; manifest?: string; json?: true };

const EXIT = { equal: 0, different: 1, malformed: 3 } as const;

const HELP = `
Reads a dump FILE, or the whole log of --brokers. Every record's hash is checked, the billing fold is run from offset 0, and with
--expect both are compared with an earlier run: the first record or row that differs is named.
Exit codes: 0 equal or nothing to compare with, 1 tampered or different, 3 malformed, 64 wrong usage.`;

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
  command.action(async (file: string | undefined, options: Options) => {
    if ((file === undefined) === (options.brokers === undefined)) command.error('error: give either a file or --brokers');
    const text = async (path: string): Promise<string> =>
      Buffer.from(
        await io
          .readFile(path)
          .catch((error: unknown) =>
            command.error(
              `error: cannot read ${path}: ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`,
            ),
          ),
      ).toString('utf8');
    const fold = new BillingFold(await text(options.accounts));
    const leaves = new LeafCollector();
    const lines: string[] = [];
    let records = 0;
    const take = (record: StoredRecord, leaf?: Buffer): void => {
      records += 1;
      leaves.add(record, leaf);
      fold.apply(record);
      if (options.dump !== undefined) lines.push(`${dumpLine(record)}\n`);
    };
    let difference: Difference | null = null;
    try {
      if (file === undefined) await readLog(options.brokers ?? '', take);
      else
        for await (const { record, leaf, intact } of loadDump((await text(file)).split('\n'))) {
          if (!intact)
            difference ??= { where: `${record.topic}/${record.partition}/${record.offset}`, what: "hash value doesn't match" };
          take(record, leaf);
        }
    } catch (error) {
      if (!isPlatformError(error)) throw error;
      io.err(`${file ?? 'log'}: ${error.message}`);
      outcome.exitCode = isPlatformError(error, 'RECORD_INVALID') ? EXIT.malformed : EXIT.different;
      return;
    }
    const manifest: Manifest = { version: 1, partitions: partitionsOf(leaves.leaves()), ...fold.result() };
    if (options.expect !== undefined) {
      const expected = Manifest.safeParse(JSON.parse(await text(options.expect)));
      if (!expected.success) {
        io.err(`${options.expect}: not a manifest`);
        outcome.exitCode = EXIT.malformed;
        return;
      }
      difference ??= firstDifference(expected.data, manifest);
    }
    if (options.dump !== undefined) await io.writeFile(options.dump, lines.join(''));
    if (options.manifest !== undefined) await io.writeFile(options.manifest, `${JSON.stringify(manifest)}\n`);
    outcome.exitCode = difference ? EXIT.different : EXIT.equal;
    if (options.json)
      io.out(JSON.stringify({ records, foldVersion: manifest.foldVersion, tenants: manifest.tenants, difference }));
    else {
      io.out(`records ${records.toLocaleString('en')} in ${manifest.partitions.length} partitions`);
      for (const [tenant, { stateDigest, rows }] of Object.entries(manifest.tenants))
        io.out(`tenant ${tenant} ${rows.toLocaleString('en')} rows ${stateDigest}`);
      io.out(
        difference
          ? `record ${difference.where} INVALID: ${difference.what}\nresult: DIFFERENT`
          : options.expect === undefined
            ? 'result: REPLAYED'
            : 'result: EQUAL',
      );
    }
  });
  return command;
};

const readLog = async (brokers: string, take: (record: StoredRecord) => void): Promise<void> => {
  const log = openEventLog({ brokers: brokers.split(','), clientId: 'centralita-replay' });
  try {
    for (const topic of inputTopics)
      for (const [partition, to] of await log.admin.endOffsets(topic))
        if (to > 0n)
          await log.read([{ topic, partition, from: 0n, to }], async (records) => records.forEach((record) => take(record)));
  } finally {
    await log.close();
  }
};
