import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/max/metadata';
import { classifyIdentifier } from './identifiers.js';
import { marketOf } from './market.js';
import { ProviderRefusals, refusalOf } from './provider-errors.js';
import { signBody, verifySignature } from './signature.js';
import { makeWamid, userOfWamid } from './wamid.js';

const secret = (text: string) => createSecretKey(Buffer.from(text));

describe('a signature', () => {
  it.each([
    [
      'test_app_secret',
      '{"object":"whatsapp_business_account","entry":[]}',
      'dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756',
    ],
    ["It's a Secret to Everybody", 'Hello, World!', '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'],
  ])('agrees with the vector of %s', (text, body, hex) => {
    expect(signBody(Buffer.from(body), secret(text))).toBe(`sha256=${hex}`);
    expect(verifySignature(Buffer.from(body), `sha256=${hex}`, { current: secret(text) })).toBe('current');
  });

  const body = Buffer.from('{"text":"mañana 👋"}');
  const [current, previous] = [secret('new'), secret('old')];

  it('tells which secret signed', () => {
    expect(verifySignature(body, signBody(body, previous), { current, previous })).toBe('previous');
    expect(verifySignature(body, signBody(body, previous), { current })).toBe(false);
  });

  it('is refused when missing, doubled, malformed or of other bytes', () => {
    const good = signBody(body, current);
    for (const header of [
      undefined,
      '',
      [good, good],
      `${good}, ${good}`,
      good.toUpperCase(),
      good.slice(7),
      `${good}0`,
      good.slice(0, -1),
      `sha1=${good.slice(7)}`,
    ])
      expect(verifySignature(body, header, { current, previous })).toBe(false);
    expect(verifySignature(Buffer.from('{"text":"ma\\u00f1ana 👋"}'), good, { current })).toBe(false);
  });
});

describe('an identifier', () => {
  it('is classified by its pattern', () => {
    expect(classifyIdentifier('+34 600 00 00 01')).toEqual({ kind: 'phone', value: '34600000001' });
    expect(classifyIdentifier('US.13491208655302741918')).toEqual({ kind: 'bsuid', value: 'US.13491208655302741918' });
    expect(classifyIdentifier('US.ENT.11815799212886844830')).toEqual({
      kind: 'parent_bsuid',
      value: 'US.ENT.11815799212886844830',
    });
    for (const none of ['', 'ana', '@ana', 'us.1', 'US.', '12', '-', `ES.${'1'.repeat(129)}`])
      expect(classifyIdentifier(none)).toBeNull();
  });

  it('keeps nothing but the digits of a phone', () => {
    fc.assert(fc.property(fc.stringMatching(/^[1-9]\d{6,14}$/), (digits) => classifyIdentifier(`+${digits}`)?.value === digits));
  });
});

describe('a market', () => {
  const phone = (digits: string) => marketOf({ phone: digits, bsuid: null, parentBsuid: null });
  it('follows the numbering plan', () => {
    expect(phone('34600000001')).toEqual({ country: 'ES', prefix: '3460' });
    expect(phone('18095551234')).toEqual({ country: 'DO', prefix: '1809' });
    expect(phone('14155552671')).toEqual({ country: 'US', prefix: '1415' });
    expect(phone('77011234567')).toEqual({ country: 'KZ', prefix: '7701' });
    expect(phone('79161234567')).toEqual({ country: 'RU', prefix: '7916' });
    expect(phone('5491123456789').country).toBe('AR');
    expect(phone('5215512345678').country).toBe('MX');
  });
  it('is the country that the library would parse', () => {
    const codes = Object.keys(metadata.country_calling_codes);
    const number = fc.tuple(fc.constantFrom(...codes, '999', '210'), fc.stringMatching(/^\d{1,17}$/));
    fc.assert(
      fc.property(number, ([code, national]) => {
        const digits = `${code}${national}`;
        return phone(digits).country === (parsePhoneNumberFromString(`+${digits}`, metadata)?.country ?? null);
      }),
      { numRuns: 2000 },
    );
  });
  it('falls back to the prefix of the BSUID', () => {
    expect(marketOf({ phone: null, bsuid: 'BR.1', parentBsuid: null })).toEqual({ country: 'BR', prefix: null });
    expect(marketOf({ phone: null, bsuid: null, parentBsuid: 'US.ENT.1' })).toEqual({ country: 'US', prefix: null });
    expect(marketOf({ phone: '9990000', bsuid: 'PT.1', parentBsuid: null })).toEqual({ country: 'PT', prefix: '9990' });
  });
});

describe('a wamid', () => {
  it('has the shape of the public sample and embeds the user', () => {
    expect(makeWamid('16503879439', randomBytes(9))).toMatch(/^wamid\.HBgLMTY1MDM4Nzk0MzkV/);
    fc.assert(
      fc.property(fc.stringMatching(/^\d{7,15}$/), fc.uint8Array({ minLength: 9, maxLength: 16 }), (digits, random) => {
        return userOfWamid(makeWamid(digits, random)) === digits;
      }),
    );
    for (const other of ['', 'wacid.X', 'wamid.', 'wamid.AAAA']) expect(userOfWamid(other)).toBeNull();
  });
});

describe('the error table', () => {
  it('has a reason for every code there is', () => {
    expect(refusalOf(131047)).toBe('window_closed');
    expect(refusalOf(132001)).toBe('template_invalid');
    expect(refusalOf(131056)).toBe('pair_rate_limited');
    expect(refusalOf(null)).toBe('provider_error');
    fc.assert(fc.property(fc.integer(), (code) => ProviderRefusals.includes(refusalOf(code))));
  });
});
