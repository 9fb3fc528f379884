import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalBytes, canonicalText } from './crypto.js';
import { referencesOf } from './references.js';

const raw = Buffer.alloc(32, 7);
const sut = referencesOf(createSecretKey(raw));

describe('references', () => {
  it('follow the formula of the specification', () => {
    const mac = createHmac('sha256', raw).update('["ref","106540352242922","wamid.X"]').digest();
    expect(sut.messageRef('106540352242922', 'wamid.X')).toBe(mac.subarray(0, 16).toString('base64url'));
  });

  it('give an event id that is a UUIDv8 of the canonical item', () => {
    const id = sut.eventId('message', 'ref', { b: 1, a: [2, 'ñ'] });
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(sut.eventId('message', 'ref', { a: [2, 'ñ'], b: 1 })).toBe(id);
    const mac = createHmac('sha256', raw).update('["event","message","ref",{"a":[2,"ñ"],"b":1}]').digest('hex');
    expect(id.replaceAll('-', '').slice(0, 12)).toBe(mac.slice(0, 12));
  });

  const fact = fc.tuple(fc.constantFrom('message', 'status'), fc.string({ maxLength: 1 }), fc.jsonValue({ maxDepth: 1 }));
  it('give another id as soon as kind, reference or item differ', () => {
    fc.assert(
      fc.property(fact, fact, (a, b) => {
        const equal = canonicalBytes(a).equals(canonicalBytes(b));
        return equal === (sut.eventId(...a) === sut.eventId(...b));
      }),
    );
  });

  it('give the same id of a text that was written out before', () => {
    fc.assert(
      fc.property(
        fact,
        ([kind, ref, item]) => sut.eventIdOfText(kind, ref, canonicalText(item)) === sut.eventId(kind, ref, item),
      ),
    );
  });

  it('keep kinds of identifiers apart, and tenants', () => {
    const other = referencesOf(createSecretKey(Buffer.alloc(32, 8)));
    const all = [
      sut.blindIndex('phone', '34600000001'),
      sut.blindIndex('group', '34600000001'),
      other.blindIndex('phone', '34600000001'),
      sut.digest(Buffer.from('34600000001')),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(sut.participantRef('34600000001')).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(sut.sendEventId('accepted', 'x', 1)).not.toBe(sut.sendEventId('accepted', 'x', 2));
  });
});
