import { decodeEvent, isPlatformError, isType, type EventData } from '@centralita/contracts';
import {
  Frontier,
  leafHash,
  openCheckpoint,
  originOf,
  parseLeaf,
  toHex,
  utf8,
  type VerifierKey,
} from '@centralita/domain-ledger';
import type { EventLog, StoredRecord } from '@centralita/event-log';
import { sha256, verifyEd25519 } from '../signing/signer.js';

type SequencedLeaf = EventData<'audit.leaf.sequenced.v1'>;
type Published = EventData<'audit.checkpoint.published.v1'>;

/** Where the log, the checkpoints or the database disagree, and about which record. */
export type Difference = {
  readonly origin: string | null;
  readonly leafIndex: string | null;
  readonly recordId: string | null;
  readonly text: string;
};

export type RebuiltLog = {
  readonly logId: string;
  readonly origin: string;
  readonly size: bigint;
  readonly root: string;
  /** Checkpoints whose signature, size and root were reached. */
  readonly checkpoints: number;
  /** Leaf hashes in order, for whoever compares a database with the log. */
  readonly leafHashes: readonly string[];
};
export type Rebuilt = { readonly logs: readonly RebuiltLog[]; readonly differences: readonly Difference[] };

type Building = {
  readonly frontier: Frontier;
  readonly origin: string;
  readonly hashes: string[];
  readonly roots: Map<string, string>;
};

/** All of a topic, from its first record. */
const readAll = async (log: EventLog, topic: string, onRecord: (record: StoredRecord) => void): Promise<void> => {
  const [begin, end] = await Promise.all([log.admin.beginningOffsets(topic), log.admin.endOffsets(topic)]);
  const ranges = [...end].map(([partition, to]) => ({ topic, partition, from: begin.get(partition) ?? 0n, to }));
  await log.read(
    ranges.filter(({ from, to }) => from < to),
    async (records) => records.forEach(onRecord),
  );
};

/**
 * Derives every log again from `audit.sequenced.v1`, from offset 0, and compares with every checkpoint on `audit.checkpoints.v1`:
 * signature, origin, size and root. Reads nothing else: what it reaches, anybody reaches.
 */
export const rebuild = async (log: EventLog, keyOf: (origin: string) => VerifierKey): Promise<Rebuilt> => {
  const differences: Difference[] = [];
  const differ = (text: string, about: Partial<Difference> = {}): void =>
    void differences.push({ origin: null, leafIndex: null, recordId: null, ...about, text });

  const published: Published[] = [];
  await readAll(log, 'audit.checkpoints.v1', (record) => {
    const decoded = decodeEvent(record.value);
    if ('event' in decoded && isType(decoded.event, 'audit.checkpoint.published.v1')) published.push(decoded.event.data);
    else differ(`${placeOf(record)} is not a checkpoint: ${'problem' in decoded ? decoded.problem : 'another type'}`);
  });
  const wanted = new Set(published.map(({ logId, size }) => `${logId}/${size}`));

  const logs = new Map<string, Building>();
  await readAll(log, 'audit.sequenced.v1', (record) => {
    const decoded = decodeEvent(record.value);
    if (!('event' in decoded) || !isType(decoded.event, 'audit.leaf.sequenced.v1')) {
      differ(`${placeOf(record)} is not a leaf: ${'problem' in decoded ? decoded.problem : 'another type'}`);
      return;
    }
    const { data } = decoded.event;
    const building: Building = logs.get(data.logId) ?? {
      frontier: new Frontier(sha256),
      origin: data.origin,
      hashes: [],
      roots: new Map(),
    };
    logs.set(data.logId, building);
    if (decoded.event.subject !== data.logId || record.key?.toString() !== data.logId)
      differ(`${placeOf(record)} does not stand in the stream of its log`, aboutLeaf(data));
    place(building, data, differ);
    const { size } = building.frontier;
    if (wanted.has(`${data.logId}/${size}`) && !building.roots.has(size.toString()))
      building.roots.set(size.toString(), toHex(building.frontier.root()));
  });

  const held = new Map<string, number>();
  for (const checkpoint of published) {
    const problem = await checkpointProblem(checkpoint, logs.get(checkpoint.logId), keyOf);
    if (problem === null) held.set(checkpoint.logId, (held.get(checkpoint.logId) ?? 0) + 1);
    else differ(`checkpoint ${checkpoint.origin} size ${checkpoint.size}: ${problem}`, { origin: checkpoint.origin });
  }
  return {
    logs: [...logs].map(([logId, { origin, frontier, hashes }]) => ({
      logId,
      origin,
      size: frontier.size,
      root: toHex(frontier.root()),
      checkpoints: held.get(logId) ?? 0,
      leafHashes: hashes,
    })),
    differences,
  };
};

const placeOf = ({ topic, partition, offset }: StoredRecord): string => `${topic}/${partition}/${offset}`;
const aboutLeaf = (data: SequencedLeaf): Partial<Difference> => ({
  origin: data.origin,
  leafIndex: data.leafIndex,
  recordId: data.recordId,
});

/** Appends the leaf, or says why it does not follow. A relay may send a leaf twice; the second time it must be the same. */
const place = (building: Building, data: SequencedLeaf, differ: (text: string, about: Partial<Difference>) => void): void => {
  const { frontier, hashes } = building;
  const index = BigInt(data.leafIndex);
  const name = `record ${data.recordId} (leaf ${data.leafIndex})`;
  const hash = leafHash(sha256, utf8(data.leaf));
  if (index < frontier.size) {
    if (hashes[Number(index)] !== toHex(hash)) differ(`${name}: another leaf stands at its place`, aboutLeaf(data));
    return;
  }
  if (index > frontier.size) differ(`${name}: leaves ${frontier.size}-${index - 1n} are missing before it`, aboutLeaf(data));
  if (toHex(hash) !== data.leafHash) differ(`${name}: hash value doesn't match`, aboutLeaf(data));
  try {
    const leaf = parseLeaf(data.leaf);
    if (originOf(leaf.tenant) !== data.origin || leaf.recordId !== data.recordId || leaf.kind !== data.leafKind)
      differ(`${name}: the leaf and its place disagree`, aboutLeaf(data));
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    differ(`${name}: ${error.message}`, aboutLeaf(data));
  }
  frontier.append(hash);
  hashes.push(toHex(hash));
};

const checkpointProblem = async (
  checkpoint: Published,
  building: Building | undefined,
  keyOf: (origin: string) => VerifierKey,
): Promise<string | null> => {
  let opened;
  try {
    opened = await openCheckpoint(checkpoint.note, [keyOf(checkpoint.origin)], verifyEd25519);
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    return error.message;
  }
  if (opened.verdict.state !== 'verified') return "signature doesn't match";
  const { origin, size, root } = opened.checkpoint;
  if (origin !== checkpoint.origin || size.toString() !== checkpoint.size || toHex(root) !== checkpoint.root)
    return 'the note and its event disagree';
  if (!building || building.frontier.size < size) return `only ${building?.frontier.size ?? 0n} leaves are on the log`;
  return building.roots.get(size.toString()) === toHex(root) ? null : "root of the leaves doesn't match";
};
