import { describe, expect, it } from '@jest/globals';
import { canonicalText } from '@centralita/keyring';
import fc from 'fast-check';
import { sealable } from './sealable.js';

const parsed = (text: string | undefined): unknown => JSON.parse(text ?? '');

describe('an element', () => {
  it('is sealed as it is when canonical JSON has bytes for it', () => {
    const element = { text: { body: 'mañana 👋 \\ud800 "quoted"' } };
    expect(sealable(element)).toEqual({ item: canonicalText(element), identity: canonicalText(element) });
  });

  it('that was cut inside an emoji stays readable, and whole', () => {
    const element = JSON.parse('{"text":"ends \\ud83d","\\udc4b":"\\\\ud83d \\\\\\ud83d","ok":"👋"}') as unknown;
    const { item, raw, identity } = sealable(element);
    expect(parsed(item)).toEqual({ text: 'ends \ufffd', '\ufffd': '\\ud83d \\\ufffd', ok: '👋' });
    expect(JSON.parse(parsed(raw) as string)).toEqual(element);
    expect(parsed(identity)).toEqual({ raw: parsed(raw) });
  });

  it('with a number that is none is sealed too', () => {
    expect(parsed(sealable(JSON.parse('{"n":1e999}')).item)).toEqual({ n: null });
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
        expect(first.item).toBe(canonicalText(parsed(first.item)));
        return (first.identity === second.identity) === equal;
      }),
    );
  });
});
