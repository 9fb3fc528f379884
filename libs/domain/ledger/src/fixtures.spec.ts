import { createHash, createPrivateKey, createPublicKey, sign as edSign, verify as edVerify } from 'node:crypto';
import type { ExportBundle, Leaf } from '@centralita/contracts';
import fc from 'fast-check';
import {
  concat,
  Frontier,
  formatVerifierKey,
  leafHash,
  leafText,
  manifestRoot,
  rangeProof,
  rootAt,
  signCheckpoint,
  toHex,
  utf8,
  verifierKey,
  type Hash,
  type NodeId,
  type NodeSource,
  type VerifySignature,
} from './index.js';

export const sha256: Hash = (bytes) => createHash('sha256').update(bytes).digest();

const PKCS8_SEED = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_KEY = Buffer.from('302a300506032b6570032100', 'hex');

export const signer = (seed = 7): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array } => {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_SEED, Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_KEY.length);
  return { publicKey: new Uint8Array(publicKey), sign: (message) => edSign(null, message, key) };
};

export const verifyEd25519: VerifySignature = (publicKey, message, signature) =>
  edVerify(null, message, createPublicKey({ key: Buffer.concat([SPKI_KEY, publicKey]), format: 'der', type: 'spki' }), signature);

/** RFC 6962, 2.1, word for word: slow, recursive, and with nothing in common with the code under test. */
export const naive = {
  split: (n: number): number => {
    let k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  },
  root: (leaves: readonly Uint8Array[]): Uint8Array => {
    if (leaves.length === 0) return sha256(new Uint8Array());
    if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), leaves[0] as Uint8Array));
    const k = naive.split(leaves.length);
    return sha256(concat(Uint8Array.of(1), naive.root(leaves.slice(0, k)), naive.root(leaves.slice(k))));
  },
  path: (m: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
    if (leaves.length === 1) return [];
    const k = naive.split(leaves.length);
    return m < k
      ? [...naive.path(m, leaves.slice(0, k)), naive.root(leaves.slice(k))]
      : [...naive.path(m - k, leaves.slice(k)), naive.root(leaves.slice(0, k))];
  },
  proof: (m: number, leaves: readonly Uint8Array[]): Uint8Array[] => naive.subproof(m, leaves, true),
  subproof: (m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] => {
    if (m === leaves.length) return whole ? [] : [naive.root(leaves)];
    const k = naive.split(leaves.length);
    return m <= k
      ? [...naive.subproof(m, leaves.slice(0, k), whole), naive.root(leaves.slice(k))]
      : [...naive.subproof(m - k, leaves.slice(k), false), naive.root(leaves.slice(0, k))];
  },
};

/** A node store in memory. */
export const memoryTree = (leaves: readonly Uint8Array[]): { source: NodeSource; frontier: Frontier } => {
  const nodes = new Map<string, Uint8Array>();
  const name = ({ level, index }: NodeId): string => `${level}/${index}`;
  const frontier = new Frontier(sha256);
  for (const leaf of leaves) for (const node of frontier.append(leafHash(sha256, leaf))) nodes.set(name(node), node.hash);
  const source: NodeSource = async (ids) =>
    ids.map((id) => {
      const hash = nodes.get(name(id));
      if (!hash) throw new Error(`no node ${name(id)}`);
      return hash;
    });
  return { source, frontier };
};

export const bytes = fc.uint8Array({ maxLength: 24 });
export const leavesOf = (min: number, max: number): fc.Arbitrary<Uint8Array[]> =>
  fc.array(bytes, { minLength: min, maxLength: max });

export const TENANT = '6b1f4b9e-3a52-4f0e-9d0a-0d4b1f0f7c11';
export const ORIGIN = `centralita/${TENANT}`;
const LANE = '0a9d5c3e-7c40-5f6b-8b1e-6f1d2c3b4a59';

const uuid = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const commitment = (n: number): string => `${n}`.padStart(43, 'c');

/**
 * A log as the sequencer makes it: `records` gives, per record, the customers shown; one customer stands on the record leaf, several
 * are a list with light leaves.
 */
export const ledger = (records: readonly (readonly number[])[]): string[] => {
  const texts: string[] = [];
  const heads = new Map<string, { seq: number; index: number }>();
  const add = (leaf: Omit<Leaf, 'subjectSeq' | 'subjectPrev'>): void => {
    const before = leaf.subject === null ? undefined : heads.get(leaf.subject);
    const seq = leaf.subject === null ? null : (before?.seq ?? 0) + 1;
    if (leaf.subject !== null) heads.set(leaf.subject, { seq: seq ?? 0, index: texts.length });
    texts.push(leafText({ ...leaf, subjectSeq: seq, subjectPrev: before ? before.index.toString() : null }));
  };
  records.forEach((shown, position) => {
    const subjects = [...new Set(shown)].map(commitment).sort();
    const list = subjects.length !== 1;
    const record = {
      v: 1 as const,
      tenant: TENANT,
      kind: 'record' as const,
      recordId: uuid(position + 1),
      occurredAt: '2026-11-22T10:00:00.000Z',
      service: 'conversation' as const,
      outcome: 'disclosed' as const,
      actor: { id: uuid(900), role: 'agent' as const, session: 's' },
      action: 'conversation.thread.read',
      resource: { type: 'conversation', id: uuid(901) },
      fields: ['message_text' as const],
      resultCount: subjects.length,
      manifest: list ? toHex(manifestRoot(sha256, subjects)) : null,
      reason: { code: 'ASSIGNED_CONVERSATION' as const, reference: null, text: null },
      policy: { rule: 'agent-own', version: 1 },
      source: { ip: null, userAgent: null },
      verified: 'confirmed' as const,
      basis: [uuid(902)],
      sourceLane: LANE,
      sourceNumber: (position + 1).toString(),
    };
    add({ ...record, subject: list ? null : (subjects[0] as string) });
    if (list) for (const subject of subjects) add({ ...record, kind: 'subject', subject });
  });
  return texts;
};

/** The export of leaves [from, to) of a log, signed over its first `size` leaves. */
export const exportOf = async (
  texts: readonly string[],
  { from = 0, to = texts.length, size = texts.length, seed = 7 } = {},
): Promise<ExportBundle> => {
  const { source } = memoryTree(texts.map((text) => utf8(text)));
  const { publicKey, sign } = signer(seed);
  const key = verifierKey(sha256, ORIGIN, publicKey);
  const root = await rootAt(sha256, source, BigInt(size));
  const leaves = texts.slice(from, to);
  const path = await rangeProof(source, { from: BigInt(from), to: BigInt(to), size: BigInt(size) });
  return {
    origin: ORIGIN,
    verifierKey: formatVerifierKey(key),
    checkpoint: signCheckpoint({ origin: ORIGIN, size: BigInt(size), root }, key, sign),
    from: from.toString(),
    to: to.toString(),
    leaves,
    leafHashes: leaves.map((text) => toHex(leafHash(sha256, utf8(text)))),
    path: path.map(toHex),
  };
};

export const trust = (
  keys = [verifierKey(sha256, ORIGIN, signer().publicKey)],
): {
  hash: Hash;
  verify: VerifySignature;
  keys: typeof keys;
} => ({ hash: sha256, verify: verifyEd25519, keys });
