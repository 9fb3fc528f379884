import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalText, hmac } from './crypto.js';
import { plainText } from './plain-text.js';

describe('hmac', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));

  it('is that of Node, whatever the lengths of key and parts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 130 }),
        fc.array(fc.oneof(text, bytes), { maxLength: 5 }),
        (raw, parts) => {
          const key = createSecretKey(raw);
          const expected = createHmac('sha256', raw);
          for (const part of parts) expected.update(part);
          const digest = expected.digest();
          return hmac(key, ...parts).equals(digest) && hmac(key, ...parts).equals(digest);
        },
      ),
    );
  });

  it('is the same of a message that is too long for the short way', () => {
    const raw = randomBytes(32);
    for (const length of [16_319, 16_320, 16_321, 100_000]) {
      const message = randomBytes(length);
      expect(hmac(createSecretKey(raw), message)).toEqual(createHmac('sha256', raw).update(message).digest());
      const text = 'ñ'.repeat(length);
      expect(hmac(createSecretKey(raw), text)).toEqual(createHmac('sha256', raw).update(text).digest());
    }
  });

  it('gives bytes of its own', () => {
    const key = createSecretKey(randomBytes(32));
    const first = hmac(key, 'first');
    const copy = Buffer.from(first);
    hmac(key, 'second');
    expect(first).toEqual(copy);
  });
});

describe('canonical text', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('__proto__', 'toJSON', '10', '9', 'b', 'B', 'é', '\ud83d'),
  );
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Infinity, 1e21, 1e-7));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 5 }),
        fc.constantFrom('\ud83d', '\\ud83d', '👋', '\\'),
        number,
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));

  const attempt = (write: () => string | undefined): string | undefined => {
    try {
      return write();
    } catch {
      return 'refused';
    }
  };

  it('is that of the library, and what the library refuses is refused', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(attempt(() => canonicalText(one))).toBe(attempt(() => canonicalize(one)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is written the short way where all is plain', () => {
    const item = { text: { body: 'Hola 👋 "ñ" \\u' }, id: 'wamid.X', at: [1, 2.5, null, true] };
    expect(plainText(item)).toBe('{"at":[1,2.5,null,true],"id":"wamid.X","text":{"body":"Hola 👋 \\"ñ\\" \\\\u"}}');
    for (const unusual of [
      undefined,
      { a: undefined },
      { 1: 2 },
      new Date(),
      { a: () => 1 },
      '\ud83d',
      Number.NaN,
      Object.create(null),
    ])
      expect(plainText(unusual)).toBeUndefined();
  });

  it('is that of the library for what is nested deeper than the stack', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(canonicalText(deep)).toBe(canonicalize(deep));
  });
});
