import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isPlatformError, type ErrorCode } from '@centralita/contracts';
import fc from 'fast-check';
import { canonicalText, derive } from './crypto.js';
import { SubjectKeys, type KeyState, type SubjectKey } from './subject-keys.js';

const tenant = '00000000-0000-4000-8000-00000000000a';
const ana = '00000000-0000-4000-8000-000000000001';
const event = '00000000-0000-4000-8000-0000000000e1';

const keyOf = (seed: number, state: KeyState = 'live', keyId = `key-${seed}`): SubjectKey => {
  const root = createSecretKey(Buffer.alloc(32, seed));
  return {
    state,
    keyId,
    keys:
      state === 'destroyed' ? null : { enc: derive(root, 'enc'), nonce: derive(root, 'nonce'), commit: derive(root, 'commit') },
    leasedUntil: Infinity,
  };
};
const holding = (key: SubjectKey, tenantId = tenant, subject = ana): SubjectKeys =>
  new SubjectKeys(tenantId, new Map([[subject, key]]));
const codeOf = (work: () => unknown): ErrorCode | 'no error' => {
  try {
    work();
    return 'no error';
  } catch (error) {
    if (isPlatformError(error)) return error.code;
    throw error;
  }
};

describe('an envelope', () => {
  const sut = holding(keyOf(1));

  it('gives back what was sealed, and the same bytes for the same fact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (plaintext) => {
        const sealed = sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext });
        expect(sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext })).toEqual(sealed);
        expect(sut.seal({ id: event, subject: ana, schema: 'item.v1', canonical: canonicalText(plaintext) })).toEqual(sealed);
        // -0 has no form of its own in JSON
        expect(sut.open(sealed)).toEqual({ state: 'open', value: JSON.parse(JSON.stringify(plaintext)) as unknown });
      }),
    );
  });

  it('does not depend on the order of properties', () => {
    const one = sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext: { a: 1, b: { c: 2, d: 3 } } });
    const two = sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext: { b: { d: 3, c: 2 }, a: 1 } });
    expect(two).toEqual(one);
  });

  it('opens only at its own place', () => {
    const sealed = sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext: { text: 'hola' } });
    const otherEvent = '00000000-0000-4000-8000-0000000000e2';
    expect(codeOf(() => sut.open({ ...sealed, id: otherEvent }))).toBe('DECRYPTION_FAILED');
    expect(codeOf(() => sut.open({ ...sealed, schema: 'reply.v1' }))).toBe('DECRYPTION_FAILED');
    expect(codeOf(() => sut.open({ ...sealed, kid: 'another' }))).toBe('DECRYPTION_FAILED');
    const elsewhere = holding(keyOf(1), '00000000-0000-4000-8000-00000000000b');
    expect(codeOf(() => elsewhere.open(sealed))).toBe('DECRYPTION_FAILED');
  });

  it('fails when any byte of nonce or ciphertext changes', () => {
    const sealed = sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext: { text: 'mañana 👋' } });
    const ct = Buffer.from(sealed.ct, 'base64');
    fc.assert(
      fc.property(fc.nat(ct.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(ct);
        changed[at] = (changed[at] ?? 0) ^ flip;
        return codeOf(() => sut.open({ ...sealed, ct: changed.toString('base64') })) === 'DECRYPTION_FAILED';
      }),
    );
    expect(codeOf(() => sut.open({ ...sealed, nonce: 'AAAAAAAAAAAAAAAA' }))).toBe('DECRYPTION_FAILED');
  });

  it('never repeats a nonce for different contents or places', () => {
    const nonces = new Map<string, string>();
    fc.assert(
      fc.property(fc.uuid(), fc.string(), (id, text) => {
        const { nonce } = sut.seal({ id, subject: ana, schema: 'item.v1', plaintext: { text } });
        const place = `${id}|${text}`;
        const before = nonces.get(nonce);
        nonces.set(nonce, place);
        return before === undefined || before === place;
      }),
    );
  });

  it('refuses a schema name that could move the borders of the associated data', () => {
    expect(() => sut.seal({ id: event, subject: ana, schema: 'a|b', plaintext: 1 })).toThrow(TypeError);
  });
});

describe('bytes', () => {
  const sut = holding(keyOf(2));

  it('come back in their context and nowhere else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (array, context) => {
        const bytes = Buffer.from(array);
        const sealed = sut.sealBytes(ana, context, bytes);
        expect(sut.openBytes(ana, context, sealed)).toEqual({ state: 'open', bytes });
        expect(sut.sealBytes(ana, context, bytes)).toEqual(sealed);
        expect(codeOf(() => sut.openBytes(ana, `${context}x`, sealed))).toBe('DECRYPTION_FAILED');
      }),
    );
  });

  it('that were cut short are refused', () => {
    const sealed = sut.sealBytes(ana, 'media', Buffer.from('abc'));
    for (const length of [0, 5, 12, 20, sealed.length - 1])
      expect(codeOf(() => sut.openBytes(ana, 'media', sealed.subarray(0, length)))).toBe('DECRYPTION_FAILED');
  });
});

describe('key states', () => {
  const sealed = holding(keyOf(1)).seal({ id: event, subject: ana, schema: 'item.v1', plaintext: { text: 'hola' } });

  it('a tombstone reads as erased', () => {
    const sut = holding(keyOf(1, 'destroyed'));
    expect(sut.open(sealed)).toEqual({ state: 'erased' });
    expect(sut.openBytes(ana, 'media', Buffer.alloc(40))).toEqual({ state: 'erased' });
    expect(codeOf(() => sut.commitment(ana))).toBe('ERASED');
  });

  it('no row and no tombstone is a retryable error, never erased', () => {
    const sut = new SubjectKeys(tenant, new Map());
    expect(codeOf(() => sut.open(sealed))).toBe('KEY_UNAVAILABLE');
  });

  it('a closing key still reads but seals nothing new', () => {
    const sut = holding(keyOf(1, 'closing'));
    expect(sut.open(sealed)).toEqual({ state: 'open', value: { text: 'hola' } });
    expect(codeOf(() => sut.seal({ id: event, subject: ana, schema: 'item.v1', plaintext: 1 }))).toBe('SUBJECT_CLOSING');
    expect(codeOf(() => sut.sealBytes(ana, 'media', Buffer.alloc(1)))).toBe('SUBJECT_CLOSING');
  });
});

describe('commitments', () => {
  it('are 32 bytes, the same for one subject and value, and different between subjects and names', () => {
    const sut = holding(keyOf(1));
    expect(sut.commitment(ana)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(sut.commitment(ana)).toBe(holding(keyOf(1)).commitment(ana));
    expect(sut.commitment(ana)).not.toBe(holding(keyOf(2)).commitment(ana));
    expect(sut.fieldCommitment(ana, 'reason', 'x')).not.toBe(sut.fieldCommitment(ana, 'text', 'x'));
  });
});
