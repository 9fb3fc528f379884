import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ledger, naive, sha256 } from './fixtures.spec.js';
import { leafText, manifestRoot, parseLeaf, recordIdOf, toHex, utf8 } from './index.js';

const invalid = expect.objectContaining({ code: 'RECORD_INVALID' }) as unknown as Error;
const [text] = ledger([[1]]) as [string];

describe('leaf', () => {
  it('has one spelling, whatever the order of its fields', () => {
    const leaf = parseLeaf(text);
    const turned = Object.fromEntries(Object.entries(leaf).reverse()) as typeof leaf;
    expect(leafText(turned)).toBe(text);
    expect(text.startsWith('{"action":"conversation.thread.read","actor":{"id":')).toBe(true);
    expect(recordIdOf(text)).toBe(leaf.recordId);
    expect(recordIdOf('not a leaf')).toBeNull();
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown field', text.replace('{"action"', '{"a":1,"action"')],
    ['an unknown field further in', text.replace('"actor":{', '"actor":{"a":1,')],
    ['white space', text.replace(',', ', ')],
    ['another order', `{"v":1,${text.slice(1, -7)}}`],
    ['a missing field', text.replace('"resultCount":1,', '')],
    ['plain text where a commitment must be', text.replace(/"subject":"[^"]+"/, '"outcome":"shown"')],
  ])('is refused with %s', (_, wrong) => expect(() => parseLeaf(wrong)).toThrow(invalid));

  it('is refused above 4,096 bytes', () => {
    const leaf = parseLeaf(text);
    expect(() => leafText({ ...leaf, basis: Array.from({ length: 100 }, () => leaf.recordId) })).toThrow(invalid);
  });
});

describe('manifest root', () => {
  it('is the tree over the sorted commitments, whatever their order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }), { maxLength: 12 }), (commitments) => {
        const expected = toHex(naive.root([...commitments].sort().map((commitment) => utf8(commitment))));
        expect(toHex(manifestRoot(sha256, commitments))).toBe(expected);
        expect(toHex(manifestRoot(sha256, [...commitments].reverse()))).toBe(expected);
      }),
    );
  });
});
