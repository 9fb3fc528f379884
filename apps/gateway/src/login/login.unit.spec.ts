import { describe, expect, it } from '@jest/globals';
import { productOf } from '../tokens/tokens.js';
import { personOf } from './claims.js';
import { safeReturnTo } from './oidc.js';
import { RateLimit } from './rate-limit.js';

const tenantId = '0197b2a0-0000-7000-8000-00000000000a';
const names = {
  OIDC_ISSUER: 'https://login.example.com',
  OIDC_TENANT_CLAIM: 'tenant',
  OIDC_ROLES_CLAIM: 'realm_access.roles',
  OIDC_LABEL_CLAIM: 'https://example.com/label',
  TENANTS_FILE: [{ tenantId, name: 'A' }],
};

describe('personOf', () => {
  it('reads nested claims and claims with dots in their name', () => {
    const claims = {
      sub: tenantId.toUpperCase(),
      tenant: tenantId,
      realm_access: { roles: ['billing', 'x'] },
      'https://example.com/label': 'Clerk',
    };
    expect(personOf(claims, names)).toEqual({ tenantId, actorId: tenantId, roles: ['billing'], label: 'Clerk' });
  });

  it('keeps subjects of different issuers apart', () => {
    const claims = { sub: '7', tenant: tenantId, realm_access: { roles: ['agent'] } };
    const here = personOf(claims, names).actorId;
    expect(personOf(claims, names).actorId).toBe(here);
    expect(personOf(claims, { ...names, OIDC_ISSUER: 'https://other.example.com' }).actorId).not.toBe(here);
  });
});

describe('safeReturnTo', () => {
  it('lets paths of our own through and nothing else', () => {
    expect(safeReturnTo('/inbox?view=all#x')).toBe('/inbox?view=all#x');
    for (const bad of [undefined, '', 'inbox', '//x', '/\\x', '/a\\b', 'https://x', '/a b', '/a\r\nb'])
      expect(safeReturnTo(bad)).toBe('/');
  });
});

describe('RateLimit', () => {
  it('fills up again with time, per key', () => {
    let now = 0;
    const sut = new RateLimit(2, () => now);
    expect([sut.take('a'), sut.take('a'), sut.take('a'), sut.take('b')]).toEqual([true, true, false, true]);
    now = 29_000;
    expect(sut.take('a')).toBe(false);
    now = 31_000;
    expect([sut.take('a'), sut.take('a')]).toEqual([true, false]);
  });
});

describe('productOf', () => {
  it('keeps the product and leaves what identifies a machine', () => {
    expect(
      productOf(
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36',
      ),
    ).toBe('Chrome/153.0.0.0');
    expect(productOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox/140.0');
    expect(productOf('node')).toBe('node');
    expect(productOf(undefined)).toBeUndefined();
  });
});
