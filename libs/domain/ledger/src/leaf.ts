import { Leaf } from '@centralita/contracts';
import canonicalize from 'canonicalize';
import { utf8, type Hash } from './bytes.js';
import { malformed } from './malformed.js';
import { leafHash, rootOf } from './tree.js';

/** Limit of audit reference 8: a leaf must fit the entry bundles of a tiled log many times over. */
export const LONGEST_LEAF = 4096;

/** Origin of a tenant's log: first line of its checkpoints, and name of the key that signs them. */
export const originOf = (tenantId: string): string => `centralita/${tenantId}`;

/** The one spelling of a leaf (RFC 8785): what is hashed, stored, published and exported. At most 4,096 bytes. */
export const leafText = (leaf: Leaf): string => {
  const text = canonicalize(Leaf.parse(leaf)) as string;
  return utf8(text).length <= LONGEST_LEAF ? text : malformed('leaf', `longer than ${LONGEST_LEAF} bytes`);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return malformed('leaf', 'not JSON');
  }
};

/** Reads a leaf strictly: known fields only, canonical bytes only. Two spellings of one leaf would have two hashes. */
export const parseLeaf = (text: string): Leaf => {
  const parsed = Leaf.strict().safeParse(parseJson(text));
  if (!parsed.success)
    return malformed('leaf', parsed.error.issues.map((issue) => issue.path.join('.') || issue.code).join(', '));
  return leafText(parsed.data) === text ? parsed.data : malformed('leaf', 'not in canonical form');
};

/** Reads `recordId` where it can be read, to name a record that is no longer what it was. */
export const recordIdOf = (text: string): string | null =>
  /"recordId":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/.exec(text)?.[1] ?? null;

/**
 * RFC 6962 root over the sorted commitments of a list: shows that a customer was in a bulk read, and, by two neighbours, that
 * another was not. A leaf is the commitment's base64url text.
 */
export const manifestRoot = (hash: Hash, commitments: readonly string[]): Uint8Array =>
  rootOf(
    hash,
    [...commitments].sort().map((commitment) => leafHash(hash, utf8(commitment))),
  );
