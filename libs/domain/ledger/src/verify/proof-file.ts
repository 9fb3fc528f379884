import type { TlogProof } from '../tlog-proof.js';
import { fromUtf8, equal } from '../bytes.js';
import { originOf, parseLeaf, recordIdOf } from '../leaf.js';
import { verifyConsistency, verifyInclusion } from '../proof.js';
import { leafHash } from '../tree.js';
import { finding, grouped, type Finding } from './finding.js';
import { attempt, openHead, type SignedHead, type Trust } from './signed-head.js';

export type ProofReport = {
  readonly head: SignedHead | null;
  readonly leafIndex: string;
  readonly recordId: string | null;
  readonly findings: readonly Finding[];
};

/**
 * Checks that a leaf stands in the log, offline. The leaf's bytes come from the proof's `extra`; given apart as well, the two
 * must be the same.
 */
export const verifyProof = async (
  proof: TlogProof,
  trust: Trust,
  leaf: Uint8Array | null = proof.extra,
): Promise<ProofReport> => {
  const findings: Finding[] = [];
  const head = await openHead(findings, 'checkpoint', proof.checkpoint, trust);
  const text =
    leaf && attempt(findings, `leaf ${grouped(proof.index)}`, () => fromUtf8(leaf, 'leaf'), { leafIndex: proof.index });
  const recordId = text ? recordIdOf(text) : null;
  const record = { leafIndex: proof.index, recordId };
  const name = `record ${recordId ?? '?'} (leaf ${grouped(proof.index)})`;
  if (!leaf) findings.push(finding('gap', `${name} GAP: the proof does not hold the leaf; give it`, record));
  else if (proof.extra && !equal(proof.extra, leaf))
    findings.push(finding('tampered', `${name} INVALID: the leaf differs from the one in the proof`, record));
  else if (head) {
    const { size, root } = head.checkpoint;
    if (!verifyInclusion(trust.hash, { index: proof.index, size, leaf: leafHash(trust.hash, leaf), path: proof.path, root }))
      findings.push(finding('tampered', `${name} INVALID: hash value doesn't match`, record));
    else if (text) {
      const parsed = attempt(findings, name, () => parseLeaf(text), record);
      const origin = parsed && originOf(parsed.tenant);
      if (origin && origin !== head.checkpoint.origin)
        findings.push(finding('tampered', `${name} INVALID: the leaf belongs to ${origin}`, record));
    }
  }
  return { head, leafIndex: proof.index.toString(), recordId, findings };
};

export type ConsistencyReport = {
  readonly from: SignedHead | null;
  readonly to: SignedHead | null;
  readonly findings: readonly Finding[];
};

/** Checks that the newer tree begins with the older one: nothing was changed, taken out or put in between. */
export const verifyHeads = async (
  heads: { from: string; to: string; path: readonly Uint8Array[] },
  trust: Trust,
): Promise<ConsistencyReport> => {
  const findings: Finding[] = [];
  const from = await openHead(findings, 'older checkpoint', heads.from, trust);
  const to = await openHead(findings, 'newer checkpoint', heads.to, trust);
  if (from && to) {
    const [older, newer] = [from.checkpoint, to.checkpoint];
    const sizes = `${grouped(older.size)} to ${grouped(newer.size)}`;
    if (older.origin !== newer.origin)
      findings.push(finding('tampered', `consistency INVALID: ${older.origin} and ${newer.origin} are different logs`));
    else if (
      !verifyConsistency(trust.hash, {
        from: older.size,
        to: newer.size,
        fromRoot: older.root,
        toRoot: newer.root,
        path: heads.path,
      })
    )
      findings.push(finding('tampered', `consistency INVALID: size ${sizes}, hash value doesn't match`));
  }
  return { from, to, findings };
};
