import { catalogue, PlatformError, Topics } from '@centralita/contracts';
import { byPlace, recordLeaf, type EventLog, type OffsetRange } from '@centralita/event-log';
import type { VerifierKey } from '@centralita/domain-ledger';
import type { ObjectStore } from '@centralita/object-store';
import { z } from 'zod';
import {
  digestOf,
  logDigest,
  manifestKey,
  manifestText,
  newestManifest,
  openManifest,
  PartitionTree,
  segmentKey,
  type ArchiveManifest,
  type Segment,
} from './manifest.js';
import { SEGMENT_LIMITS, SegmentLines, type SegmentLimits } from './segment.js';
import type { ArchiveSigner } from './signing.js';

export type RunOptions = {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly signer: ArchiveSigner;
  /** Keys of earlier signers, whose manifests are gone on from. */
  readonly trusted?: readonly VerifierKey[];
  readonly topics?: readonly string[];
  readonly limits?: SegmentLimits;
  /** After so many segments a manifest is signed: what a run that dies has to do again. @default 32 */
  readonly segmentsPerManifest?: number;
  readonly clock?: () => Date;
};

export type ArchiveRun = {
  /** Number and digest of the newest manifest. */
  readonly sequence: number;
  readonly manifestDigest: string;
  readonly logDigest: string;
  /** Sealed by this run. */
  readonly records: number;
  readonly segments: number;
};

/** Settings of topics that a restored one must have again. */
const KEPT = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'message.timestamp.type',
  'max.message.bytes',
  'min.insync.replicas',
];

/** SHA-256 over the JSON Schema of every type, in the order of the catalogue: by which contracts these records were written, at the latest. */
export const schemaBundle = (): string =>
  digestOf(catalogue.map(({ type, data }) => `${type} ${JSON.stringify(z.toJSONSchema(data))}\n`).join(''));

/**
 * Seals what is on the log and not yet in the archive, partition by partition:
 *
 * 1. the newest manifest says how far the archive goes; what lies behind it and is named by none is passed over
 * 2. segments are put, each durable before the next is begun
 * 3. a manifest that names them is signed and put where none stands yet; then they are part of the archive
 *
 * A run that dies between 2 and 3 leaves objects that no manifest names: the next one goes on from the manifest, so nothing is missing and
 * nothing is there twice. Of two runs at once one gets VERSION_CONFLICT. Throws LOG_BEHIND_STORE when the log is not the one that was sealed.
 */
export const runArchive = async (options: RunOptions): Promise<ArchiveRun> => {
  const { log, store, signer, limits = SEGMENT_LIMITS, segmentsPerManifest = 32, clock = () => new Date() } = options;
  const newest = await newestManifest(store);
  if (newest) await openManifest(newest.key, newest.bytes, [signer.key, ...(options.trusted ?? [])]);
  const { admin } = log;
  const trees = new Map(
    (newest?.manifest.partitions ?? []).map((one) => [`${one.topic}/${one.partition}`, PartitionTree.of(one)] as const),
  );
  const cluster = await admin.clusterId();
  const topics = await admin.describeTopics(options.topics ?? Topics);
  const observedAt = clock();
  const ranges = await newRanges(
    log,
    topics.map(({ name }) => name),
    trees,
  );
  if (newest && newest.manifest.cluster !== cluster) await requireSame(log, newest.manifest);

  const run = { records: 0, segments: 0 };
  let last = { sequence: newest?.manifest.sequence ?? 0, digest: newest?.digest ?? null };
  let coversUntil = newest?.manifest.coversUntil ?? null;
  let pending: Segment[] = [];
  const commit = async (): Promise<string> => {
    const partitions = [...trees.values()].map((tree) => tree.state()).sort(byPlace);
    const manifest: ArchiveManifest = {
      version: 1,
      sequence: last.sequence + 1,
      previous: last.digest,
      cluster,
      sealedAt: clock().toISOString(),
      coversUntil,
      schemaBundle: schemaBundle(),
      topics: topics.map(({ name, partitions: count, config }) => ({
        name,
        partitions: count,
        config: Object.fromEntries(
          KEPT.flatMap((setting) => (config[setting] === undefined ? [] : [[setting, config[setting]]])),
        ),
      })),
      segments: pending,
      partitions,
      logDigest: logDigest(partitions),
    };
    const bytes = Buffer.from(signer.sign(manifestText(manifest)));
    if ((await store.putIfAbsent(manifestKey(manifest.sequence), bytes)) === 'taken')
      throw new PlatformError('VERSION_CONFLICT', `another run has signed manifest ${manifest.sequence}`, {
        sequence: manifest.sequence,
      });
    last = { sequence: manifest.sequence, digest: digestOf(bytes) };
    pending = [];
    return manifest.logDigest;
  };

  for (const range of ranges) {
    const { topic, partition } = range;
    const tree = trees.get(`${topic}/${partition}`) ?? PartitionTree.empty(topic, partition);
    trees.set(`${topic}/${partition}`, tree);
    const lines = new SegmentLines(limits);
    let from = range.from;
    const seal = async (): Promise<void> => {
      const to = tree.to;
      const { object, sha256 } = await lines.seal();
      const place = { topic, partition, from: from.toString(), to: to.toString(), sha256 };
      const key = segmentKey(place);
      await store.put(key, object);
      pending.push({ key, ...place, bytes: object.length });
      run.records += Number(to - from);
      run.segments += 1;
      from = to;
      if (pending.length >= segmentsPerManifest) await commit();
    };
    await log.read([range], async (records) => {
      for (const record of records) {
        lines.add(record);
        tree.append(recordLeaf(record));
        if (lines.full) await seal();
      }
    });
    if (lines.records > 0) await seal();
  }
  coversUntil = observedAt.toISOString();
  const digest = await commit();
  return { sequence: last.sequence, manifestDigest: last.digest as string, logDigest: digest, ...run };
};

/** What is on the log behind the archive, by place. */
const newRanges = async (
  log: EventLog,
  topics: readonly string[],
  trees: ReadonlyMap<string, PartitionTree>,
): Promise<OffsetRange[]> => {
  const ranges: OffsetRange[] = [];
  for (const topic of topics)
    for (const [partition, to] of await log.admin.endOffsets(topic))
      ranges.push({ topic, partition, from: trees.get(`${topic}/${partition}`)?.to ?? 0n, to });
  const names = new Set(ranges.map(({ topic, partition }) => `${topic}/${partition}`));
  const lost = [...trees.keys()].filter((name) => !names.has(name));
  const shorter = ranges.filter(({ from, to }) => to < from).map(({ topic, partition }) => `${topic}/${partition}`);
  if (lost.length + shorter.length > 0)
    throw new PlatformError('LOG_BEHIND_STORE', `the log ends before the archive: ${[...lost, ...shorter].join(', ')}`, {
      partitions: [...lost, ...shorter],
    });
  return ranges.filter(({ from, to }) => to > from).sort(byPlace);
};

/** Another cluster may be the one that was filled from this archive: its records are looked at, one by one. Throws LOG_BEHIND_STORE. */
const requireSame = async (log: EventLog, { partitions }: ArchiveManifest): Promise<void> => {
  const differing = await differingPartitions(log, partitions);
  if (differing.length > 0)
    throw new PlatformError('LOG_BEHIND_STORE', `this is another log than the one in the archive: ${differing.join(', ')}`, {
      partitions: differing,
    });
};

/** Partitions of a log whose records are others than those that were archived, as far as the archive goes. */
export const differingPartitions = async (
  log: Pick<EventLog, 'read'>,
  partitions: ArchiveManifest['partitions'],
): Promise<string[]> => {
  const differing: string[] = [];
  for (const { topic, partition, to, root } of partitions) {
    if (to === '0') continue;
    const tree = PartitionTree.empty(topic, partition);
    await log.read([{ topic, partition, from: 0n, to: BigInt(to) }], async (records) => {
      for (const record of records) tree.append(recordLeaf(record));
    });
    if (tree.state().root !== root) differing.push(`${topic}/${partition}`);
  }
  return differing;
};
