import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { manifestOf, sortedCommitments } from './merkle.js';

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (text: string): Buffer => sha256(Buffer.of(0), Buffer.from(text));
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right);

describe('manifestOf', () => {
  it('is the hash of nothing for an empty list (RFC 6962, 2.1)', () => {
    expect(manifestOf([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('is the leaf hash for one commitment', () => {
    expect(manifestOf(['abc'])).toBe(leaf('abc').toString('hex'));
  });

  it('splits at the largest power of two below the number of leaves', () => {
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(leaf) as [Buffer, Buffer, Buffer, Buffer, Buffer];
    expect(manifestOf(['a', 'b', 'c'])).toBe(node(node(a, b), c).toString('hex'));
    expect(manifestOf(['a', 'b', 'c', 'd'])).toBe(node(node(a, b), node(c, d)).toString('hex'));
    expect(manifestOf(['a', 'b', 'c', 'd', 'e'])).toBe(node(node(node(a, b), node(c, d)), e).toString('hex'));
  });

  it('depends neither on order nor on doubles, but on every member', () => {
    const commitments = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{43}$/), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(commitments, fc.nat(), (list, at) => {
        const shuffled = [...list.slice(at % list.length), ...list.slice(0, at % list.length), ...list.slice(0, 1)];
        expect(manifestOf(shuffled)).toBe(manifestOf(list));
        expect(manifestOf(list.slice(1))).not.toBe(manifestOf(list));
      }),
      { numRuns: 50 },
    );
  });

  it('sorts by code unit, as every reader of the record can', () => {
    expect(sortedCommitments(['b', 'a', '_', 'B', 'a', '-'])).toEqual(['-', 'B', '_', 'a', 'b']);
  });
});
