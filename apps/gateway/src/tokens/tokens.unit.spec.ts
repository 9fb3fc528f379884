import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Tokens } from './tokens.js';

const session = { actorId: 'a', tenantId: 't', roles: ['agent'] as const, reference: 'r' };
const here = { address: '192.0.2.1', userAgent: 'node' };

describe('a token for a service', () => {
  let sut: Tokens;
  beforeAll(async () => {
    sut = await Tokens.open(generateKeyPairSync('ed25519').privateKey);
  });

  it('is used again for the same session, service and origin', async () => {
    const [one, two] = await Promise.all([sut.for('routing', session, here), sut.for('routing', session, here)]);
    expect(two).toBe(one);
    expect(decodeJwt(one)).toMatchObject({ aud: 'routing', sub: 'a', tenant: 't', sid: 'r', ip: '192.0.2.1', ua: 'node' });
  });

  it('is another for another session, tenant, person, service or origin', async () => {
    const tokens = await Promise.all([
      sut.for('routing', session, here),
      sut.for('billing', session, here),
      sut.for('routing', { ...session, reference: 'r2' }, here),
      sut.for('routing', { ...session, tenantId: 't2' }, here),
      sut.for('routing', { ...session, actorId: 'a2' }, here),
      sut.for('routing', session, { ...here, address: '192.0.2.2' }),
      sut.for('routing', session, { ...here, userAgent: 'curl/8' }),
      sut.for('routing', session, {}),
    ]);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('that has a refusal recorded is never one that opens something', async () => {
    const [opens, denial] = [await sut.for('routing', session, here), await sut.forDenial('routing', session, here)];
    expect(decodeJwt(opens)).not.toHaveProperty('scope');
    expect(decodeJwt(denial)).toMatchObject({ scope: 'denial' });
    expect(await sut.for('routing', session, here)).toBe(opens);
  });

  it('of an operator opens operations alone, for five minutes', async () => {
    const claims = decodeJwt(await sut.forOperator('routing', { ...session, roles: ['agent', 'platform'] }, here));
    expect(claims).toMatchObject({ aud: 'routing', sub: 'a', tenant: 't', scope: 'operations', roles: ['platform'] });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
  });
});
