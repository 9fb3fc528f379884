import { concat, equal, HASH_BYTES, type Hash } from './bytes.js';

/** Hash of a perfect subtree: level 0 are the leaves; node (level, index) covers leaves index * 2^level to (index + 1) * 2^level. */
export type NodeId = { readonly level: number; readonly index: bigint };
export type TreeNode = NodeId & { readonly hash: Uint8Array };

/**
 * Where the hashes of complete subtrees are kept. Answers in the order of the ids; a missing node is an error of the store and
 * must throw: a proof over a guess would be a lie.
 */
export type NodeSource = (ids: readonly NodeId[]) => Promise<readonly Uint8Array[]>;

const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/** RFC 6962, 2.1: the prefixes keep a leaf from being passed off as a node. */
export const leafHash = (hash: Hash, leaf: Uint8Array): Uint8Array => hash(concat(LEAF_PREFIX, leaf));
export const nodeHash = (hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array => hash(concat(NODE_PREFIX, left, right));
export const emptyRoot = (hash: Hash): Uint8Array => hash(new Uint8Array());

/** The fewest perfect subtrees that cover leaves [from, to), from left to right. */
export const subtrees = (from: bigint, to: bigint): NodeId[] => {
  const cover: NodeId[] = [];
  let at = from;
  while (at < to) {
    let level = 0;
    while ((at >> BigInt(level)) % 2n === 0n && at + (2n << BigInt(level)) <= to) level += 1;
    cover.push({ level, index: at >> BigInt(level) });
    at += 1n << BigInt(level);
  }
  return cover;
};

/**
 * The right border of a growing tree: the roots of its perfect subtrees, one per bit of the size, largest first. It is all that an
 * append needs, and all that a rebuild has to remember.
 */
export class Frontier {
  #size = 0n;
  readonly #nodes: TreeNode[] = [];

  constructor(private readonly hash: Hash) {}

  /** The frontier of a stored tree of `size` leaves. */
  static async load(hash: Hash, source: NodeSource, size: bigint): Promise<Frontier> {
    const frontier = new Frontier(hash);
    const ids = subtrees(0n, size);
    const hashes = await source(ids);
    ids.forEach((id, position) => frontier.appendSubtree(id.level, hashes[position] as Uint8Array));
    return frontier;
  }

  get size(): bigint {
    return this.#size;
  }

  /** Adds one leaf and returns the subtrees that it completes, lowest first: what a node store has to keep. */
  append(leaf: Uint8Array): TreeNode[] {
    return this.appendSubtree(0, leaf);
  }

  /** Adds a perfect subtree of 2^level leaves. The size must be a multiple of that, or the tree would have another shape. */
  appendSubtree(level: number, root: Uint8Array): TreeNode[] {
    if (root.length !== HASH_BYTES) throw new RangeError('a tree hash has 32 bytes');
    const width = 1n << BigInt(level);
    if (this.#size % width !== 0n) throw new RangeError(`a subtree of ${width} leaves cannot stand at ${this.#size}`);
    const completed: TreeNode[] = [{ level, index: this.#size / width, hash: root }];
    let node = completed[0] as TreeNode;
    while (node.index % 2n === 1n) {
      const left = this.#nodes.pop() as TreeNode;
      node = { level: node.level + 1, index: node.index / 2n, hash: nodeHash(this.hash, left.hash, node.hash) };
      completed.push(node);
    }
    this.#nodes.push(node);
    this.#size += width;
    return completed;
  }

  root(): Uint8Array {
    return this.#nodes.length === 0
      ? emptyRoot(this.hash)
      : foldRight(
          this.hash,
          this.#nodes.map((node) => node.hash),
        );
  }
}

/** Root over perfect subtrees of falling size: the last two join first, as RFC 6962 splits at the largest power of two. */
export const foldRight = (hash: Hash, roots: readonly Uint8Array[]): Uint8Array =>
  roots.slice(0, -1).reduceRight((right, left) => nodeHash(hash, left, right), roots.at(-1) as Uint8Array);

/** Root of the first `size` leaves of a stored tree. */
export const rootAt = async (hash: Hash, source: NodeSource, size: bigint): Promise<Uint8Array> =>
  (await Frontier.load(hash, source, size)).root();

/** Root over the given leaves' hashes, level by level: neighbours join, and a last one without a neighbour goes up as it is. */
export const rootOf = (hash: Hash, leafHashes: readonly Uint8Array[]): Uint8Array => {
  let level = leafHashes;
  while (level.length > 1)
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
      const [left, right] = [level[2 * index] as Uint8Array, level[2 * index + 1]];
      return right ? nodeHash(hash, left, right) : left;
    });
  const [root] = level;
  return root ?? emptyRoot(hash);
};

/** True for a 32-byte value equal to the other. A hash of another length would move the border between left and right. */
export const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === HASH_BYTES && equal(a, b);
