import { HASH_BYTES, type Hash } from './bytes.js';
import { emptyRoot, foldRight, Frontier, nodeHash, sameHash, subtrees, type NodeSource } from './tree.js';

/** Leaves [from, to): the piece of a tree whose root stands in a proof. */
type Range = { readonly from: bigint; readonly to: bigint };

/** The largest power of two below n: where RFC 6962 splits a tree of n > 1 leaves. */
const split = (n: bigint): bigint => 1n << BigInt((n - 1n).toString(2).length - 1);

const inclusionRanges = (index: bigint, { from, to }: Range): Range[] => {
  if (to - from <= 1n) return [];
  const middle = from + split(to - from);
  return index < middle
    ? [...inclusionRanges(index, { from, to: middle }), { from: middle, to }]
    : [...inclusionRanges(index, { from: middle, to }), { from, to: middle }];
};

const consistencyRanges = (old: bigint, { from, to }: Range, oldIsWhole: boolean): Range[] => {
  if (old === to) return oldIsWhole ? [] : [{ from, to }];
  const middle = from + split(to - from);
  return old <= middle
    ? [...consistencyRanges(old, { from, to: middle }, oldIsWhole), { from: middle, to }]
    : [...consistencyRanges(old, { from: middle, to }, false), { from, to: middle }];
};

/** Roots of the ranges from stored subtrees, fetched in one question. */
const rangeRoots = async (hash: Hash, source: NodeSource, ranges: readonly Range[]): Promise<Uint8Array[]> => {
  const covers = ranges.map(({ from, to }) => subtrees(from, to));
  const hashes = await source(covers.flat());
  let at = 0;
  return covers.map((cover) => foldRight(hash, hashes.slice(at, (at += cover.length))));
};

/** Audit path of RFC 6962, 2.1.1: the leaf's sibling first, the child of the root last. */
export const inclusionProof = async (hash: Hash, source: NodeSource, index: bigint, size: bigint): Promise<Uint8Array[]> => {
  if (index < 0n || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  return rangeRoots(hash, source, inclusionRanges(index, { from: 0n, to: size }));
};

/** Consistency proof of RFC 6962, 2.1.2. Empty when the sizes are equal or the old tree is empty. */
export const consistencyProof = async (hash: Hash, source: NodeSource, from: bigint, to: bigint): Promise<Uint8Array[]> => {
  if (from < 0n || from > to) throw new RangeError(`${from} is not a size before ${to}`);
  if (from === 0n || from === to) return [];
  return rangeRoots(hash, source, consistencyRanges(from, { from: 0n, to }, true));
};

/**
 * What an export of leaves [from, to) needs beside them to reach the root of `size`: the subtrees left of the range, then those
 * right of it, each from left to right.
 */
export const rangeProof = async (
  source: NodeSource,
  { from, to, size }: { from: bigint; to: bigint; size: bigint },
): Promise<Uint8Array[]> => [...(await source([...subtrees(0n, from), ...subtrees(to, size)]))];

const wellFormed = (path: readonly Uint8Array[]): boolean => path.every((node) => node.length === HASH_BYTES);

/** RFC 9162, 2.1.3.2. False for any changed byte of any input. */
export const verifyInclusion = (
  hash: Hash,
  proof: { index: bigint; size: bigint; leaf: Uint8Array; path: readonly Uint8Array[]; root: Uint8Array },
): boolean => {
  const { index, size, leaf, path, root } = proof;
  if (index < 0n || index >= size || leaf.length !== HASH_BYTES || !wellFormed(path)) return false;
  let at = index;
  let last = size - 1n;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      node = nodeHash(hash, sibling, node);
      // A right border of odd size has no sibling on these levels.
      while (at % 2n === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else node = nodeHash(hash, node, sibling);
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && sameHash(node, root);
};

/** RFC 9162, 2.1.4.2: the tree of `to` leaves begins with the tree of `from` leaves. False for any changed byte of any input. */
export const verifyConsistency = (
  hash: Hash,
  proof: { from: bigint; to: bigint; fromRoot: Uint8Array; toRoot: Uint8Array; path: readonly Uint8Array[] },
): boolean => {
  const { from, to, fromRoot, toRoot, path } = proof;
  if (from < 0n || from > to || !wellFormed(path)) return false;
  if (from === to) return path.length === 0 && sameHash(fromRoot, toRoot);
  if (from === 0n) return path.length === 0 && sameHash(fromRoot, emptyRoot(hash));
  // A power of two is one subtree, whose root the verifier has already.
  const [first, ...rest] = (from & (from - 1n)) === 0n ? [fromRoot, ...path] : path;
  if (!first) return false;
  let at = from - 1n;
  let last = to - 1n;
  while (at % 2n === 1n) {
    at >>= 1n;
    last >>= 1n;
  }
  let oldRoot = first;
  let newRoot = first;
  for (const node of rest) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      oldRoot = nodeHash(hash, node, oldRoot);
      newRoot = nodeHash(hash, node, newRoot);
      while (at % 2n === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else newRoot = nodeHash(hash, newRoot, node);
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && sameHash(oldRoot, fromRoot) && sameHash(newRoot, toRoot);
};

/** Root that leaves [from, from + leaves.length) and their range proof reach; null when the proof has another number of hashes. */
export const rootOfRange = (
  hash: Hash,
  range: { from: bigint; leafHashes: readonly Uint8Array[]; size: bigint; path: readonly Uint8Array[] },
): Uint8Array | null => {
  const to = range.from + BigInt(range.leafHashes.length);
  const left = subtrees(0n, range.from);
  const right = subtrees(to, range.size);
  if (to > range.size || range.path.length !== left.length + right.length || !wellFormed(range.path)) return null;
  const frontier = new Frontier(hash);
  left.forEach((id, position) => frontier.appendSubtree(id.level, range.path[position] as Uint8Array));
  for (const leaf of range.leafHashes) frontier.append(leaf);
  right.forEach((id, position) => frontier.appendSubtree(id.level, range.path[left.length + position] as Uint8Array));
  return frontier.root();
};
