import { createHash } from 'node:crypto';

const leafHash = (leaf: Buffer): Buffer => createHash('sha256').update(Buffer.of(0)).update(leaf).digest();
const nodeHash = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();

const rootOf = (leaves: readonly Buffer[]): Buffer => {
  const [only] = leaves;
  if (only === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return leafHash(only);
  // The largest power of two below the number of leaves (RFC 6962, 2.1).
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
};

/**
 * Manifest of a list: RFC 6962 root over the commitments of its subjects, each leaf the commitment's ASCII text, sorted by code unit
 * and without doubles. Lower-case hexadecimal. Platform code may not import the ledger's tree, so this is the same rule once more;
 * the published vectors keep the two equal.
 */
export const manifestOf = (commitments: readonly string[]): string =>
  rootOf(sortedCommitments(commitments).map((commitment) => Buffer.from(commitment, 'ascii'))).toString('hex');

/** As access records list them: each once, sorted by code unit. */
export const sortedCommitments = (commitments: readonly string[]): string[] => [...new Set(commitments)].sort();
