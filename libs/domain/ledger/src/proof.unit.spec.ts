import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { leavesOf, memoryTree, naive, sha256 } from './fixtures.spec.js';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  rangeProof,
  rootOfRange,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

const flip = (value: Uint8Array, bit: number): Uint8Array => {
  const changed = Uint8Array.from(value);
  const at = Math.floor(bit / 8) % changed.length;
  changed[at] = (changed[at] as number) ^ (1 << (bit % 8));
  return changed;
};

describe('inclusion proof', () => {
  it('is the path of RFC 6962 and verifies, for every leaf of every size', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(1, 33), fc.nat(), async (leaves, pick) => {
        const index = pick % leaves.length;
        const path = await inclusionProof(sha256, memoryTree(leaves).source, BigInt(index), BigInt(leaves.length));
        expect(path.map(toHex)).toEqual(naive.path(index, leaves).map(toHex));
        const leaf = leafHash(sha256, leaves[index] as Uint8Array);
        const proof = { index: BigInt(index), size: BigInt(leaves.length), leaf, path, root: naive.root(leaves) };
        expect(verifyInclusion(sha256, proof)).toBe(true);
      }),
    );
  });

  it('fails for any changed bit of leaf, path or root, another index, and a longer or shorter path', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ maxLength: 8 }), { minLength: 2, maxLength: 20, selector: toHex }),
        fc.nat(),
        fc.nat(255),
        async (leaves, pick, bit) => {
          const index = pick % leaves.length;
          const path = await inclusionProof(sha256, memoryTree(leaves).source, BigInt(index), BigInt(leaves.length));
          const leaf = leafHash(sha256, leaves[index] as Uint8Array);
          const proof = { index: BigInt(index), size: BigInt(leaves.length), leaf, path, root: naive.root(leaves) };
          expect(verifyInclusion(sha256, { ...proof, leaf: flip(leaf, bit) })).toBe(false);
          expect(verifyInclusion(sha256, { ...proof, root: flip(proof.root, bit) })).toBe(false);
          path.forEach((node, at) =>
            expect(verifyInclusion(sha256, { ...proof, path: path.with(at, flip(node, bit)) })).toBe(false),
          );
          expect(verifyInclusion(sha256, { ...proof, path: path.slice(1) })).toBe(false);
          expect(verifyInclusion(sha256, { ...proof, path: [...path, leaf] })).toBe(false);
          expect(verifyInclusion(sha256, { ...proof, path: path.with(0, (path[0] as Uint8Array).subarray(1)) })).toBe(false);
          for (let other = 0; other < leaves.length; other += 1)
            if (other !== index) expect(verifyInclusion(sha256, { ...proof, index: BigInt(other) })).toBe(false);
          expect(verifyInclusion(sha256, { ...proof, index: proof.size })).toBe(false);
        },
      ),
    );
  });

  it('refuses a leaf that is not in the tree', async () => {
    await expect(inclusionProof(sha256, memoryTree([]).source, 0n, 0n)).rejects.toThrow(RangeError);
  });
});

describe('consistency proof', () => {
  it('is the proof of RFC 6962 and verifies, for every pair of sizes', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(1, 33), fc.nat(), async (leaves, pick) => {
        const from = pick % (leaves.length + 1);
        const path = await consistencyProof(sha256, memoryTree(leaves).source, BigInt(from), BigInt(leaves.length));
        if (from > 0) expect(path.map(toHex)).toEqual(naive.proof(from, leaves).map(toHex));
        const roots = { fromRoot: naive.root(leaves.slice(0, from)), toRoot: naive.root(leaves) };
        expect(verifyConsistency(sha256, { from: BigInt(from), to: BigInt(leaves.length), ...roots, path })).toBe(true);
      }),
    );
  });

  it('fails for any changed bit of a root or the path, and a longer or shorter path', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(2, 20), fc.nat(), fc.nat(255), async (leaves, pick, bit) => {
        const from = 1 + (pick % (leaves.length - 1));
        const path = await consistencyProof(sha256, memoryTree(leaves).source, BigInt(from), BigInt(leaves.length));
        const roots = { fromRoot: naive.root(leaves.slice(0, from)), toRoot: naive.root(leaves) };
        const proof = { from: BigInt(from), to: BigInt(leaves.length), ...roots, path };
        expect(verifyConsistency(sha256, { ...proof, fromRoot: flip(roots.fromRoot, bit) })).toBe(false);
        expect(verifyConsistency(sha256, { ...proof, toRoot: flip(roots.toRoot, bit) })).toBe(false);
        path.forEach((node, at) =>
          expect(verifyConsistency(sha256, { ...proof, path: path.with(at, flip(node, bit)) })).toBe(false),
        );
        expect(verifyConsistency(sha256, { ...proof, path: path.slice(1) })).toBe(false);
        expect(verifyConsistency(sha256, { ...proof, path: [...path, roots.toRoot] })).toBe(false);
      }),
    );
  });

  it('needs no path for equal sizes and the empty tree, and takes no other root for them', () => {
    const empty = naive.root([]);
    const one = naive.root([Uint8Array.of(1)]);
    const same = { from: 1n, to: 1n, fromRoot: one, toRoot: one, path: [] };
    expect(verifyConsistency(sha256, same)).toBe(true);
    expect(verifyConsistency(sha256, { ...same, toRoot: empty })).toBe(false);
    expect(verifyConsistency(sha256, { from: 0n, to: 1n, fromRoot: empty, toRoot: one, path: [] })).toBe(true);
    expect(verifyConsistency(sha256, { from: 0n, to: 1n, fromRoot: one, toRoot: one, path: [] })).toBe(false);
    expect(verifyConsistency(sha256, { from: 2n, to: 1n, fromRoot: one, toRoot: one, path: [] })).toBe(false);
    expect(verifyConsistency(sha256, { from: 3n, to: 4n, fromRoot: one, toRoot: one, path: [] })).toBe(false);
  });

  it('refuses sizes in the wrong order', async () => {
    await expect(consistencyProof(sha256, memoryTree([]).source, 2n, 1n)).rejects.toThrow(RangeError);
  });
});

describe('range proof', () => {
  it('leads from any run of leaves to the root, and only with the right number of hashes', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(1, 33), fc.nat(), fc.nat(), async (leaves, a, b) => {
        const size = BigInt(leaves.length);
        const from = a % leaves.length;
        const to = from + (b % (leaves.length - from + 1));
        const path = await rangeProof(memoryTree(leaves).source, { from: BigInt(from), to: BigInt(to), size });
        const leafHashes = leaves.slice(from, to).map((leaf) => leafHash(sha256, leaf));
        const range = { from: BigInt(from), leafHashes, size, path };
        expect(toHex(rootOfRange(sha256, range) as Uint8Array)).toBe(toHex(naive.root(leaves)));
        expect(rootOfRange(sha256, { ...range, path: [...path, leafHash(sha256, leaves[0] as Uint8Array)] })).toBeNull();
        expect(rootOfRange(sha256, { ...range, size: BigInt(to) - 1n })).toBeNull();
      }),
    );
  });
});
