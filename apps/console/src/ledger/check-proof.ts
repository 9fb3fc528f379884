import type { ProofView, RecordDetail } from '@centralita/contracts';
import {
  leafHash,
  openCheckpoint,
  parseLeaf,
  parseTlogProof,
  parseVerifierKey,
  toHex,
  utf8,
  equal,
  verifyInclusion,
  verifyProof,
  type Hash,
  type Trust,
} from '@centralita/domain-ledger';
import { hashes, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { config, type z } from 'zod';

// The page's policy forbids code made from text; without this the schema library tries, and the browser reports it.
config({ jitless: true });
// Also where the page is not a secure context, and the browser's own cryptography is missing.
hashes.sha512 = sha512;
const hash: Hash = (bytes) => sha256(bytes);

export type Steps = { readonly leaf: boolean; readonly path: boolean; readonly signature: boolean };
export type ProofCheck = {
  /** `altered`: a byte is not what was signed. `unchecked`: it cannot be read, or was signed by nobody we know. */
  readonly state: 'proven' | 'altered' | 'unchecked';
  readonly steps: Steps;
  readonly size: string;
  readonly root: string;
  readonly keyId: string;
};

/**
 * Checks in this page that the record that is shown stands in the log: what is shown is what was hashed, its hash leads to the root,
 * and the log has signed the root. The server only delivers the material.
 */
export const checkProof = async (
  record: z.infer<typeof RecordDetail>,
  view: ProofView,
  verifierKey: string,
): Promise<ProofCheck> => {
  const key = parseVerifierKey(hash, verifierKey);
  const trust: Trust = {
    hash,
    verify: (publicKey, message, signature) => verify(signature, message, publicKey),
    keys: [key],
  };
  const proof = parseTlogProof(view.tlogProof);
  const bytes = utf8(record.leafText);
  const own = leafHash(hash, bytes);
  const opened = await openCheckpoint(proof.checkpoint, trust.keys, trust.verify);
  const { size, root } = opened.checkpoint;
  const asShown = (): boolean => JSON.stringify(sorted(parseLeaf(record.leafText))) === JSON.stringify(sorted(record.leaf));
  const steps: Steps = {
    leaf:
      proof.index.toString() === record.leafIndex &&
      toHex(own) === view.leafHash &&
      toHex(own) === record.leafHash &&
      (proof.extra === null || equal(proof.extra, bytes)) &&
      asShown(),
    path: verifyInclusion(hash, { index: proof.index, size, leaf: own, path: proof.path, root }),
    signature: opened.verdict.state === 'verified',
  };
  // The command line's verifier has the last word: it also looks at whose log the leaf belongs to.
  const report = await verifyProof(proof, trust, bytes);
  const state =
    opened.verdict.state === 'unknown_key'
      ? 'unchecked'
      : report.findings.length === 0 && steps.leaf && steps.path && steps.signature
        ? 'proven'
        : 'altered';
  return { state, steps, size: size.toString(), root: toHex(root), keyId: key.keyId };
};

/** The same value with the names of every object in order: two readings of one record are then one text. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
};
