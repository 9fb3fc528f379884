import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { leavesOf, memoryTree, naive, sha256 } from './fixtures.spec.js';
import { emptyRoot, fromHex, Frontier, leafHash, nodeHash, rootAt, rootOf, subtrees, toHex, utf8 } from './index.js';

describe('tree hashes', () => {
  it('are the constants of RFC 6962', () => {
    expect(toHex(emptyRoot(sha256))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(toHex(leafHash(sha256, utf8('')))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(toHex(leafHash(sha256, utf8('L123456')))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    expect(toHex(nodeHash(sha256, utf8('N123'), utf8('N456')))).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
  });

  it('give the roots of the published eight-leaf tree', () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    const frontier = new Frontier(sha256);
    const reached = leaves.map((leaf) => {
      frontier.append(leafHash(sha256, fromHex(leaf)));
      return toHex(frontier.root());
    });
    expect(reached).toEqual(roots);
  });
});

describe('subtrees', () => {
  it('cover a range once, in order, with aligned subtrees as large as they can be', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 5000n), fc.bigInt(0n, 5000n), (from, length) => {
        const cover = subtrees(from, from + length);
        let at = from;
        for (const { level, index } of cover) {
          expect(index << BigInt(level)).toBe(at);
          at += 1n << BigInt(level);
        }
        expect(at).toBe(from + length);
        expect(cover.length).toBeLessThanOrEqual(2 * 13);
      }),
    );
  });

  it('work beyond 2^53', () => {
    expect(subtrees(0n, (1n << 60n) + 1n)).toEqual([
      { level: 60, index: 0n },
      { level: 0, index: 1n << 60n },
    ]);
  });
});

describe('Frontier', () => {
  it('has the root of the naive recursion at every size', () => {
    fc.assert(
      fc.property(leavesOf(0, 40), (leaves) => {
        const frontier = new Frontier(sha256);
        expect(frontier.root()).toEqual(naive.root([]));
        leaves.forEach((leaf, position) => {
          frontier.append(leafHash(sha256, leaf));
          expect(toHex(frontier.root())).toBe(toHex(naive.root(leaves.slice(0, position + 1))));
        });
        expect(frontier.size).toBe(BigInt(leaves.length));
      }),
    );
  });

  it('goes on from a store exactly where it stopped', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(0, 40), leavesOf(0, 10), async (before, after) => {
        const { source } = memoryTree(before);
        const frontier = await Frontier.load(sha256, source, BigInt(before.length));
        for (const leaf of after) frontier.append(leafHash(sha256, leaf));
        expect(toHex(frontier.root())).toBe(toHex(naive.root([...before, ...after])));
      }),
    );
  });

  it('gives the root of every earlier size from the store', async () => {
    await fc.assert(
      fc.asyncProperty(leavesOf(1, 40), fc.nat(40), async (leaves, at) => {
        const size = at % (leaves.length + 1);
        const root = await rootAt(sha256, memoryTree(leaves).source, BigInt(size));
        expect(toHex(root)).toBe(toHex(naive.root(leaves.slice(0, size))));
      }),
    );
  });

  it('refuses a subtree where it would change the shape of the tree, and hashes of a wrong length', () => {
    const frontier = new Frontier(sha256);
    frontier.append(sha256(utf8('a')));
    expect(() => frontier.appendSubtree(1, sha256(utf8('b')))).toThrow(RangeError);
    expect(() => frontier.append(utf8('short'))).toThrow(RangeError);
  });

  it('makes the same root in one go', () => {
    const hashes = ['a', 'b', 'c'].map((text) => leafHash(sha256, utf8(text)));
    expect(rootOf(sha256, hashes)).toEqual(naive.root(['a', 'b', 'c'].map((text) => utf8(text))));
  });
});
