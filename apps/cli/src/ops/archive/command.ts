import { PlatformError } from '@centralita/contracts';
import type { VerifierKey } from '@centralita/domain-ledger';
import { objectStoreEnv, objectStoreOptions, openObjectStore, type ObjectStore } from '@centralita/object-store';
import { Command } from 'commander';
import { z } from 'zod';
import { reasonOf, type Io, type Outcome } from '../../io.js';
import { DIFFERENT, DONE } from '../exit-codes.js';
import { operationRecord, readSettings, withLog } from '../log.js';
import { counted, operation, type Answer } from '../operation.js';
import { wholeNumber } from '../whole-number.js';
import { appendable, restoreArchive } from './restore.js';
import { runArchive } from './run.js';
import { ArchiveSigner, trustedKeys } from './signing.js';
import { openArchive, verifyArchive, type ArchiveVerdict, type OpenedArchive } from './verify.js';

/** Where the archive is and whose signatures count. The chart's archive job and the operators' commands share these. */
export const archiveEnv = z
  .object({
    ...objectStoreEnv('ARCHIVE'),
    ARCHIVE_SIGNING_KEY_FILE: z
      .string()
      .min(1)
      .describe('PEM file with the Ed25519 key that signs manifests; only the job that seals needs it')
      .optional(),
    ARCHIVE_VERIFIER_KEYS_FILE: z
      .string()
      .min(1)
      .describe('file with the verifier keys that are trusted, a line each, as `ops archive key` prints them')
      .optional(),
  })
  .superRefine((env, context) => {
    objectStoreOptions('ARCHIVE', env, (name, message) => {
      context.addIssue({ code: 'custom', path: [name], message });
    });
  });

type Archive = { readonly store: ObjectStore; readonly signer: ArchiveSigner | null; readonly trusted: readonly VerifierKey[] };

const fileOf = async (io: Io, name: string, path: string): Promise<Uint8Array> =>
  io.readFile(path).catch((error: unknown) => {
    throw new PlatformError('CONFIGURATION_INVALID', `${name} cannot be read: ${reasonOf(error)}`);
  });

const openedFrom = async (io: Io): Promise<Archive> => {
  const settings = readSettings(io, archiveEnv);
  const { ARCHIVE_SIGNING_KEY_FILE: signing, ARCHIVE_VERIFIER_KEYS_FILE: verifying } = settings;
  const signer = signing === undefined ? null : new ArchiveSigner(await fileOf(io, 'ARCHIVE_SIGNING_KEY_FILE', signing));
  const trusted =
    verifying === undefined
      ? []
      : trustedKeys(Buffer.from(await fileOf(io, 'ARCHIVE_VERIFIER_KEYS_FILE', verifying)).toString('utf8'));
  return {
    store: await openObjectStore(objectStoreOptions('ARCHIVE', settings)),
    signer,
    trusted: signer ? [signer.key, ...trusted] : trusted,
  };
};

const signerOf = ({ signer }: Archive): ArchiveSigner => {
  if (signer === null) throw new PlatformError('CONFIGURATION_INVALID', 'ARCHIVE_SIGNING_KEY_FILE is required');
  return signer;
};

const openTrusted = async ({ store, trusted }: Archive): Promise<OpenedArchive> => {
  if (trusted.length === 0) throw new PlatformError('CONFIGURATION_INVALID', 'ARCHIVE_VERIFIER_KEYS_FILE is required');
  return openArchive(store, trusted);
};

const verdictOf = (opened: OpenedArchive, { records, segments, findings }: ArchiveVerdict): Answer => {
  const { newest, manifestDigest } = opened;
  const summary = {
    sequence: newest.sequence,
    manifestDigest,
    logDigest: newest.logDigest,
    coversUntil: newest.coversUntil,
    records,
    segments,
    findings,
  };
  return {
    exitCode: findings.length === 0 ? DONE : DIFFERENT,
    json: summary,
    lines: [
      ...findings.map(({ where, what }) => `${where} INVALID: ${what}`),
      `manifest ${newest.sequence} ${manifestDigest}`,
      `log ${newest.logDigest} ${counted(records, 'record')} in ${counted(segments, 'segment')}, until ${newest.coversUntil ?? 'nowhere yet'}`,
      `result: ${findings.length === 0 ? 'OK' : 'DAMAGED'}`,
    ],
  };
};

/** `ops archive run|verify|key`: the second copy of the log, in an object store. */
export const archiveCommand = (io: Io, outcome: Outcome): Command => {
  const archive = new Command('archive').description('seal the log in an object store, and check what is sealed');
  archive.addCommand(
    operation(
      io,
      outcome,
      'run',
      'seal what is on the log and not yet in the archive; may be stopped and run again',
      async () => {
        const opened = await openedFrom(io);
        const signer = signerOf(opened);
        return withLog(io, 'archive', async ({ log, principal }) => {
          const run = await runArchive({ log, store: opened.store, signer, trusted: opened.trusted });
          const now = new Date();
          const { sequence, manifestDigest, logDigest, records } = run;
          const data = {
            sequence: String(sequence),
            manifestDigest,
            logDigest,
            records: String(records),
            principal,
            at: now.toISOString(),
          };
          await log.append([operationRecord('archive.sealed.v1', data, now)]);
          return {
            exitCode: DONE,
            json: { ...run, verifierKey: signer.verifier },
            lines: [
              `sealed ${counted(records, 'record')} in ${counted(run.segments, 'segment')}`,
              `manifest ${sequence} ${manifestDigest}`,
              `log ${logDigest}`,
            ],
          };
        });
      },
    ),
  );
  archive.addCommand(
    operation(io, outcome, 'verify', 'check every manifest and segment; needs no Kafka', async () => {
      const from = await openedFrom(io);
      const opened = await openTrusted(from);
      return verdictOf(opened, await verifyArchive(from.store, opened));
    }),
  );
  archive.addCommand(
    operation(io, outcome, 'key', 'print the verifier key of ARCHIVE_SIGNING_KEY_FILE', async () => {
      const { verifier } = signerOf(await openedFrom(io));
      return { exitCode: DONE, json: { verifierKey: verifier }, lines: [verifier] };
    }),
  );
  return archive;
};

/** `ops restore`: an empty cluster from the archive. */
export const restoreCommand = (io: Io, outcome: Outcome): Command =>
  operation(
    io,
    outcome,
    'restore',
    'fill the empty cluster of KAFKA_BROKERS from the archive, and compare the digests',
    async (command) => {
      const { replicationFactor, minInsync } = command.opts<{ replicationFactor: number; minInsync: number }>();
      const from = await openedFrom(io);
      const opened = await openTrusted(from);
      const counts = new Map(opened.newest.topics.map(({ name, partitions }) => [name, partitions]));
      // All of it before anything is written: half a log would look like one.
      const verdict = await verifyArchive(from.store, opened, (record) => void appendable(record, counts.get(record.topic) ?? 0));
      if (verdict.findings.length > 0) return verdictOf(opened, verdict);
      return withLog(io, 'restore', async ({ log, principal }) => {
        const options = { replicationFactor, minInsyncReplicas: minInsync };
        const { records, logDigest } = await restoreArchive({ log, store: from.store, archive: opened, ...options });
        const { newest, manifestDigest } = opened;
        const now = new Date();
        const data = {
          sequence: String(newest.sequence),
          manifestDigest,
          logDigest,
          records: String(records),
          fromCluster: newest.cluster,
        };
        await log.append([operationRecord('archive.restored.v1', { ...data, principal, at: now.toISOString() }, now)]);
        return {
          exitCode: DONE,
          json: { sequence: newest.sequence, manifestDigest, logDigest, records },
          lines: [`restored ${counted(records, 'record')} of manifest ${newest.sequence}`, `log ${logDigest}`, 'result: EQUAL'],
        };
      });
    },
  )
    .option('--replication-factor <count>', 'replicas of every partition', wholeNumber, 3)
    .option('--min-insync <count>', 'replicas that must have a record before it is acknowledged', wholeNumber, 2);
