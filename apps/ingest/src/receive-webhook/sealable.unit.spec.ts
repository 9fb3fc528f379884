import { describe, expect, it } from '@jest/globals';
import { canonicalBytes } from '@centralita/keyring';
import fc from 'fast-check';
import { sealable } from './sealable.js';

describe('an element', () => {
  it('is sealed as it is when canonical JSON has bytes for it', () => {
    const element = { text: { body: 'mañana 👋 \\ud800 "quoted"' } };
    expect(sealable(element)).toEqual({ item: element, identity: element });
  });

  it('that was cut inside an emoji stays readable, and whole', () => {
    const element = JSON.parse('{"text":"ends \\ud83d","\\udc4b":"\\\\ud83d \\\\\\ud83d","ok":"👋"}') as unknown;
    const { item, raw, identity } = sealable(element);
    expect(item).toEqual({ text: 'ends \ufffd', '\ufffd': '\\ud83d \\\ufffd', ok: '👋' });
    expect(JSON.parse(raw ?? '')).toEqual(element);
    expect(identity).toEqual({ raw });
  });

  it('with a number that is none is sealed too', () => {
    expect(() => canonicalBytes(sealable(JSON.parse('{"n":1e999}')))).not.toThrow();
  });

  it('can always be sealed, and different elements have different identities', () => {
    const anything = fc.array(
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => text + (text.length % 2 ? '\ud83d' : '')),
      { maxLength: 2 },
    );
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        const [first, second] = [sealable(a), sealable(b)];
        const equal = JSON.stringify(a) === JSON.stringify(b);
        canonicalBytes(first.item);
        return canonicalBytes(first.identity).equals(canonicalBytes(second.identity)) === equal;
      }),
    );
  });
});
