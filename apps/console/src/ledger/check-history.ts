import type { AccessRow, ProofView } from '@centralita/contracts';
import { leafText } from '@centralita/domain-ledger';
import { checkProof } from './check-proof.js';

export type HistoryCheck = {
  /** `gap`: a number is missing, or a record does not name the one before it. */
  readonly state: 'proven' | 'gap' | 'altered' | 'unchecked';
  /** The record that is not what was signed. */
  readonly leaf: string | null;
  /** Size of the log that the last proof speaks of. */
  readonly size: string;
};

/** Each record has its number and names the record of the same person before it, down to the first. */
const isChain = (rows: readonly AccessRow[], expected: number): boolean =>
  rows.length === expected &&
  rows.every(
    ({ leaf }, position) =>
      leaf.subject !== null &&
      leaf.subject === rows[0]?.leaf.subject &&
      leaf.subjectSeq === expected - position &&
      leaf.subjectPrev === (rows[position + 1]?.leafIndex ?? null),
  );

/**
 * Checks a person's whole history in this page, newest record first: nothing is missing in the chain, and every record stands in the
 * log that was signed, with what is shown as its content. The proofs come one after the other; each is a record of its own.
 */
export const checkHistory = async (
  rows: readonly AccessRow[],
  expected: number,
  verifierKey: string,
  proofOf: (leafIndex: string) => Promise<ProofView>,
): Promise<HistoryCheck> => {
  let size = '0';
  for (const row of rows) {
    const proof = await proofOf(row.leafIndex);
    const check = await checkProof({ ...row, leafText: leafText(row.leaf) }, proof, verifierKey).catch(() => null);
    if (check?.state !== 'proven') return { state: check?.state ?? 'unchecked', leaf: row.leafIndex, size };
    size = check.size;
  }
  return { state: isChain(rows, expected) ? 'proven' : 'gap', leaf: null, size };
};
