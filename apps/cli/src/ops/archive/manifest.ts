import { hash } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import { fromHex, Frontier, parseNote, subtrees, toHex, verifyNote, type VerifierKey } from '@centralita/domain-ledger';
import { byPlace } from '@centralita/event-log';
import type { ObjectStore } from '@centralita/object-store';
import { z } from 'zod';
import { sha256, verifyEd25519 } from '../../verify/crypto.js';

const Hex = z.string().regex(/^[0-9a-f]{64}$/);
const Decimal = z.string().regex(/^(0|[1-9]\d{0,18})$/);
const Instant = z.iso.datetime({ precision: 3 });

/** A run of records of one partition, `from` (inclusive) to `to` (exclusive), as one compressed object. */
const Segment = z.strictObject({
  key: z.string().max(200),
  topic: z.string().min(1).max(249),
  partition: z.number().int().nonnegative(),
  from: Decimal,
  to: Decimal,
  bytes: z.number().int().positive(),
  sha256: Hex.describe('of the object as it is stored'),
});
export type Segment = z.infer<typeof Segment>;

/** Where the archive of a partition ends: the tree over the leaf hashes of all its records, by the hashes of its perfect subtrees. */
const Partition = z.strictObject({
  topic: z.string(),
  partition: z.number().int().nonnegative(),
  to: Decimal,
  root: Hex,
  frontier: z.array(Hex).max(64),
});
export type ArchivedPartition = z.infer<typeof Partition>;

/**
 * One step of the archive. Manifests are numbered from 1 and each names the digest of the one before, so the newest vouches for all of them;
 * what no manifest names is no part of the archive.
 */
export const ArchiveManifest = z.strictObject({
  version: z.literal(1),
  sequence: z.number().int().positive(),
  previous: Hex.nullable(),
  cluster: z.string().max(80),
  sealedAt: Instant,
  /** All records that were on the log at this instant are in the archive; null before the first run has come to its end. */
  coversUntil: Instant.nullable(),
  schemaBundle: Hex.describe('SHA-256 of the JSON Schema of all events'),
  topics: z.array(z.strictObject({ name: z.string(), partitions: z.number().int(), config: z.record(z.string(), z.string()) })),
  segments: z.array(Segment),
  partitions: z.array(Partition),
  logDigest: Hex.describe('over the roots of all partitions'),
});
export type ArchiveManifest = z.infer<typeof ArchiveManifest>;

const TITLE = 'centralita-archive/v1';
export const MANIFESTS = 'manifests';
export const SEGMENTS = 'segments';
const WIDTH = 19;

const padded = (value: number | string): string => String(value).padStart(WIDTH, '0');
export const manifestKey = (sequence: number): string => `${MANIFESTS}/${padded(sequence)}`;
export const segmentKey = (segment: Pick<Segment, 'topic' | 'partition' | 'from' | 'to' | 'sha256'>): string =>
  [
    SEGMENTS,
    segment.topic.replaceAll('.', '-'),
    segment.partition,
    `${padded(segment.from)}-${padded(segment.to)}-${segment.sha256.slice(0, 16)}`,
  ].join('/');

export const digestOf = (bytes: Uint8Array | string): string => hash('sha256', bytes);

/** Digest L of the whole log, as the billing service takes it over its inputs: topic, partition, range and root of all that hold records. */
export const logDigest = (partitions: readonly Pick<ArchivedPartition, 'topic' | 'partition' | 'to' | 'root'>[]): string =>
  digestOf(
    partitions
      .filter(({ to }) => to !== '0')
      .toSorted(byPlace)
      .map(({ topic, partition, to, root }) => `${topic}/${partition}/0/${to}/${root}\n`)
      .join(''),
  );

/** The text that is signed: a title and one line of JSON. */
export const manifestText = (manifest: ArchiveManifest): string => `${TITLE}\n${JSON.stringify(manifest)}\n`;

const invalid = (key: string, what: string): never => {
  throw new PlatformError('RECORD_INVALID', `manifest ${key} ${what}`, { key });
};

/** Reads a manifest; says nothing about who signed it. Throws RECORD_INVALID, naming it. */
export const parseManifest = (key: string, bytes: Buffer): { readonly manifest: ArchiveManifest; readonly digest: string } => {
  let json: unknown;
  try {
    const [title, line, ...rest] = parseNote(bytes.toString('utf8')).text.split('\n');
    if (title !== TITLE || line === undefined || rest.join('\n') !== '') return invalid(key, 'is none of ours');
    json = JSON.parse(line);
  } catch {
    return invalid(key, 'cannot be read');
  }
  const parsed = ArchiveManifest.safeParse(json);
  if (!parsed.success)
    return invalid(key, `lacks or has too much: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
  return { manifest: parsed.data, digest: digestOf(bytes) };
};

/** The same, and the signature of one of the keys stands under it. Throws SIGNATURE_INVALID. */
export const openManifest = async (
  key: string,
  bytes: Buffer,
  keys: readonly VerifierKey[],
): Promise<{ readonly manifest: ArchiveManifest; readonly digest: string }> => {
  const opened = parseManifest(key, bytes);
  const { state } = await verifyNote(parseNote(bytes.toString('utf8')), keys, verifyEd25519);
  if (state !== 'verified')
    throw new PlatformError(
      'SIGNATURE_INVALID',
      state === 'tampered'
        ? `manifest ${key} was changed after it was signed`
        : `manifest ${key} is signed by nobody who is trusted`,
      { key },
    );
  return opened;
};

/** The newest manifest, null when there is none. Without a look at its signature: for those who only want its time. */
export const newestManifest = async (
  store: ObjectStore,
): Promise<{
  readonly key: string;
  readonly bytes: Buffer;
  readonly manifest: ArchiveManifest;
  readonly digest: string;
} | null> => {
  let newest: string | undefined;
  for await (const { key } of store.list(MANIFESTS)) newest = key;
  if (newest === undefined) return null;
  const bytes = await store.get(newest);
  if (bytes === null) return invalid(newest, 'is listed and not there');
  return { key: newest, bytes, ...parseManifest(newest, bytes) };
};

/** Seconds for which the archive lags behind the log; null while there is no complete archive. The metric `archive_lag_seconds`. */
export const archiveLagSeconds = async (store: ObjectStore, now: Date): Promise<number | null> => {
  const until = (await newestManifest(store))?.manifest.coversUntil;
  return until === undefined || until === null ? null : Math.max(0, (now.getTime() - Date.parse(until)) / 1000);
};

/** The tree of a partition, to be gone on with. */
export class PartitionTree {
  #to: bigint;
  readonly #nodes = new Map<number, Uint8Array>();
  readonly #frontier: Frontier;

  private constructor(
    readonly topic: string,
    readonly partition: number,
    from: { readonly to: string; readonly frontier: readonly string[] },
  ) {
    this.#to = BigInt(from.to);
    this.#frontier = new Frontier(sha256);
    const ids = subtrees(0n, this.#to);
    if (ids.length !== from.frontier.length)
      throw new PlatformError('RECORD_INVALID', `the tree of ${topic}/${partition} has another shape than its size`, {
        topic,
        partition,
      });
    ids.forEach(({ level }, index) => this.#complete(level, fromHex(from.frontier[index] as string)));
  }

  static empty(topic: string, partition: number): PartitionTree {
    return new PartitionTree(topic, partition, { to: '0', frontier: [] });
  }

  static of(archived: ArchivedPartition): PartitionTree {
    return new PartitionTree(archived.topic, archived.partition, archived);
  }

  get to(): bigint {
    return this.#to;
  }

  append(leaf: Uint8Array): void {
    this.#complete(0, leaf);
    this.#to += 1n;
  }

  state(): ArchivedPartition {
    return {
      topic: this.topic,
      partition: this.partition,
      to: this.#to.toString(),
      root: toHex(this.#frontier.root()),
      frontier: subtrees(0n, this.#to).map(({ level }) => toHex(this.#nodes.get(level) as Uint8Array)),
    };
  }

  /** A perfect subtree swallows the smaller ones before it, so one node a level is all that stands. */
  #complete(level: number, root: Uint8Array): void {
    const completed = this.#frontier.appendSubtree(level, root);
    for (const node of completed.slice(0, -1)) this.#nodes.delete(node.level);
    const { level: height, hash: top } = completed.at(-1) as (typeof completed)[number];
    this.#nodes.set(height, top);
  }
}
