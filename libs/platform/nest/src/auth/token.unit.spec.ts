import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { SignJWT } from 'jose';
import { TOKEN_ISSUER, tokenVerifier } from './token.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const tenant = randomUUID();
const sign = (audience = 'billing', seconds = 60): Promise<string> =>
  new SignJWT({ tenant, roles: ['billing'], sid: 's' })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(TOKEN_ISSUER)
    .setAudience(audience)
    .setSubject(randomUUID())
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(privateKey);
const counted = () => {
  const checks = { count: 0 };
  const sut = tokenVerifier('billing', async () => {
    checks.count += 1;
    return publicKey;
  });
  return { sut, checks };
};
const refused = async (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => false,
    (error: unknown) => isPlatformError(error, 'UNAUTHENTICATED'),
  );

describe('the verifier of tokens', () => {
  afterEach(() => void jest.useRealTimers());

  it('checks a signature once, and only its own token by it', async () => {
    const { sut, checks } = counted();
    const token = await sign();
    const [one, two] = [await sut.verify(`Bearer ${token}`), await sut.verify(`Bearer ${token}`)];
    expect([one.tenant, two, checks.count]).toEqual([tenant, one, 1]);
    expect(await refused(sut.verify(`Bearer ${token.slice(0, -4)}AAAA`))).toBe(true);
    expect(await refused(sut.verify(undefined))).toBe(true);
  });

  it('believes a token no longer than it lives', async () => {
    jest.useFakeTimers({ advanceTimers: true });
    const { sut } = counted();
    const token = await sign();
    await sut.verify(`Bearer ${token}`);
    jest.setSystemTime(Date.now() + 70_000);
    expect(await refused(sut.verify(`Bearer ${token}`))).toBe(true);
  });

  it('keeps no token that it refused', async () => {
    const { sut, checks } = counted();
    const foreign = await sign('routing');
    expect([await refused(sut.verify(`Bearer ${foreign}`)), await refused(sut.verify(`Bearer ${foreign}`))]).toEqual([
      true,
      true,
    ]);
    expect(checks.count).toBe(2);
  });
});
