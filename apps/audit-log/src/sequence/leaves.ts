import type { AccessRecord, Leaf } from '@centralita/contracts';
import {
  Frontier,
  leafHash,
  leafText,
  LONGEST_LEAF,
  malformed,
  manifestRoot,
  toHex,
  utf8,
  type TreeNode,
} from '@centralita/domain-ledger';
import { LONGEST_BASIS, type RecordVerdict, type Verdict } from '../facts/reason.js';
import { sha256 } from '../signing/signer.js';

/** A record whose turn has come, with the verdict on its reason. */
export type DueRecord = {
  readonly lane: string;
  readonly number: bigint;
  readonly kind: 'record' | 'erasure';
  readonly eventId: string;
  readonly record: AccessRecord;
  readonly verdict: RecordVerdict;
  /** Of the flow that brought the record. */
  readonly traceparent?: string | null;
};

export type SubjectHead = { seq: number; leaf: bigint };
export type SequencedLeaf = {
  readonly index: bigint;
  readonly leaf: Leaf;
  readonly text: string;
  readonly hash: Uint8Array;
  readonly eventId: string;
};

/**
 * Gives each record its place: one leaf, and for a list one light leaf per subject right behind it. Numbers each subject's leaves
 * and links each to the one before; `heads` is moved along.
 */
export class LeafBuilder {
  readonly leaves: SequencedLeaf[] = [];
  readonly nodes: TreeNode[] = [];

  constructor(
    private readonly tenantId: string,
    private readonly frontier: Frontier,
    private readonly heads: Map<string, SubjectHead>,
  ) {}

  get size(): bigint {
    return this.frontier.size;
  }

  /** Leaves that the record will take: to keep a batch small. */
  static width(record: AccessRecord): number {
    return 1 + (isList(record) ? record.subjects.length : 0);
  }

  add(due: DueRecord): void {
    const { record, verdict } = due;
    const list = isList(record);
    this.#append(due, due.kind, list ? null : (record.subjects[0] ?? null), verdict);
    if (list)
      for (const subject of record.subjects) this.#append(due, 'subject', subject, verdict.bySubject.get(subject) ?? verdict);
  }

  #append({ lane, number, eventId, record }: DueRecord, kind: Leaf['kind'], subject: string | null, verdict: Verdict): void {
    const index = this.frontier.size;
    const before = subject === null ? undefined : this.heads.get(subject);
    const seq = subject === null ? null : (before?.seq ?? 0) + 1;
    const { subjects: _, ...shown } = record;
    const leaf: Leaf = {
      ...shown,
      v: 1,
      tenant: this.tenantId,
      kind,
      subject,
      subjectSeq: seq,
      subjectPrev: before?.leaf.toString() ?? null,
      verified: verdict.verified,
      basis: [...verdict.basis],
      sourceLane: lane,
      sourceNumber: number.toString(),
    };
    const text = leafText(leaf);
    const hash = leafHash(sha256, utf8(text));
    this.nodes.push(...this.frontier.append(hash));
    this.leaves.push({ index, leaf, text, hash, eventId });
    if (subject !== null && seq !== null) this.heads.set(subject, { seq, leaf: index });
  }
}

/**
 * Throws RECORD_INVALID for a record that has no room in a leaf, whatever its place and verdict will be. Asked when it comes in: there
 * one source's lane waits for an operator, in the sequencer the whole log would.
 */
export const requireRoom = (tenantId: string, record: AccessRecord): void => {
  const { subjects: _, ...shown } = record;
  const longestNumber = (2n ** 63n).toString();
  const longest: Leaf = {
    ...shown,
    v: 1,
    tenant: tenantId,
    kind: 'subject',
    subject: 'x'.repeat(43),
    subjectSeq: 2 ** 31,
    subjectPrev: longestNumber,
    verified: 'unverifiable',
    basis: Array.from({ length: LONGEST_BASIS }, () => record.recordId),
    sourceLane: record.recordId,
    sourceNumber: longestNumber,
  };
  // Canonical JSON has its fields in another order and the same length.
  if (Buffer.byteLength(JSON.stringify(longest)) > LONGEST_LEAF)
    malformed('leaf', `may become longer than ${LONGEST_LEAF} bytes`);
};

/** A record with a manifest is a list, even of one; several subjects without a manifest are one all the same. */
const isList = (record: AccessRecord): boolean => record.manifest !== null || record.subjects.length > 1;

/** The source's manifest must be the root over the subjects that it lists; otherwise one of the two is wrong. */
export const manifestHolds = (record: AccessRecord): boolean =>
  record.manifest === null || record.manifest === toHex(manifestRoot(sha256, record.subjects));
