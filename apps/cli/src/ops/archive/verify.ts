import { isPlatformError, PlatformError } from '@centralita/contracts';
import type { VerifierKey } from '@centralita/domain-ledger';
import type { DumpedRecord } from '@centralita/event-log';
import type { ObjectStore } from '@centralita/object-store';
import {
  digestOf,
  logDigest,
  manifestKey,
  MANIFESTS,
  openManifest,
  PartitionTree,
  type ArchiveManifest,
  type Segment,
} from './manifest.js';
import { recordsOf } from './segment.js';

/** What is wrong, and with which object, partition or record. */
export type ArchiveFinding = { readonly where: string; readonly what: string };

/** An archive whose manifests hold together. */
export type OpenedArchive = {
  readonly newest: ArchiveManifest;
  readonly manifestDigest: string;
  /** By `topic/partition`, in the order of offsets. */
  readonly segments: ReadonlyMap<string, readonly Segment[]>;
};

/**
 * Reads all manifests from the first: each is signed by somebody who is trusted, follows the one before it, and goes on where that ended.
 * Throws SIGNATURE_INVALID or RECORD_INVALID, naming the manifest; NOT_FOUND when there is no archive.
 */
export const openArchive = async (store: ObjectStore, keys: readonly VerifierKey[]): Promise<OpenedArchive> => {
  const segments = new Map<string, Segment[]>();
  const ends = new Map<string, string>();
  let before: { manifest: ArchiveManifest; digest: string } | null = null;
  for await (const { key } of store.list(MANIFESTS)) {
    const wrong = (what: string): never => {
      throw new PlatformError('RECORD_INVALID', `manifest ${key} ${what}`, { key });
    };
    const sequence: number = (before?.manifest.sequence ?? 0) + 1;
    if (key !== manifestKey(sequence)) wrong(`stands where ${manifestKey(sequence)} belongs: a manifest is missing`);
    const bytes: Buffer = (await store.get(key)) ?? wrong('is listed and not there');
    const opened = await openManifest(key, bytes, keys);
    const { manifest } = opened;
    if (manifest.sequence !== sequence) wrong('has another number');
    if (manifest.previous !== (before?.digest ?? null)) wrong('does not follow the one before it');
    for (const segment of manifest.segments) {
      const place = `${segment.topic}/${segment.partition}`;
      if (segment.from !== (ends.get(place) ?? '0')) wrong(`has a hole before ${segment.key}`);
      ends.set(place, segment.to);
      const known = segments.get(place);
      if (known) known.push(segment);
      else segments.set(place, [segment]);
    }
    for (const { topic, partition, to } of manifest.partitions)
      if (to !== (ends.get(`${topic}/${partition}`) ?? '0')) wrong(`says that ${topic}/${partition} ends elsewhere`);
    if (manifest.logDigest !== logDigest(manifest.partitions)) wrong('has another digest than its partitions');
    before = opened;
  }
  if (before === null) throw new PlatformError('NOT_FOUND', 'there is no archive in this store');
  return { newest: before.manifest, manifestDigest: before.digest, segments };
};

export type ArchiveVerdict = {
  readonly records: number;
  readonly segments: number;
  readonly findings: readonly ArchiveFinding[];
};

/**
 * Reads every segment: its digest is the signed one, each record is the one that was sealed, offsets go on without a hole, and the tree of
 * each partition has the signed root. Needs no Kafka. `onRecord` sees each record in the order of its partition.
 */
export const verifyArchive = async (
  store: ObjectStore,
  { newest, segments }: OpenedArchive,
  onRecord: (record: DumpedRecord['record'], segment: Segment) => void = () => undefined,
): Promise<ArchiveVerdict> => {
  const findings: ArchiveFinding[] = [];
  let records = 0;
  let count = 0;
  for (const { topic, partition, root } of newest.partitions) {
    const place = `${topic}/${partition}`;
    const tree = PartitionTree.empty(topic, partition);
    let whole = true;
    for (const segment of segments.get(place) ?? []) {
      count += 1;
      const found = await checkSegment(store, segment, (record, leaf) => {
        records += 1;
        if (whole) tree.append(leaf);
        onRecord(record, segment);
      });
      whole &&= found.length === 0;
      findings.push(...found);
    }
    if (whole && tree.state().root !== root)
      findings.push({ where: place, what: 'has another root than the one that was signed' });
  }
  return { records, segments: count, findings };
};

const checkSegment = async (
  store: ObjectStore,
  segment: Segment,
  onRecord: (record: DumpedRecord['record'], leaf: Buffer) => void,
): Promise<ArchiveFinding[]> => {
  const { key, topic, partition } = segment;
  const object = await store.get(key);
  if (object === null) return [{ where: key, what: 'is missing' }];
  const intact = digestOf(object) === segment.sha256;
  const damaged: ArchiveFinding[] = intact
    ? []
    : [{ where: key, what: 'is damaged: its bytes are not the ones that were sealed' }];
  let next = BigInt(segment.from);
  try {
    for await (const { record, leaf, intact: same } of recordsOf(key, object)) {
      const where = `${record.topic}/${record.partition}/${record.offset}`;
      if (!same) return [...damaged, { where, what: `was changed, in ${key}` }];
      if (record.topic !== topic || record.partition !== partition || record.offset !== next)
        return [...damaged, { where, what: `stands where ${topic}/${partition}/${next} belongs, in ${key}` }];
      next += 1n;
      if (intact) onRecord(record, leaf);
    }
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    // What was cut or overwritten anywhere ends here; the digest has named the segment already.
    return damaged.length > 0 ? damaged : [{ where: key, what: error.message }];
  }
  if (next !== BigInt(segment.to)) return [...damaged, { where: key, what: `ends at ${next} and not at ${segment.to}` }];
  return damaged;
};
