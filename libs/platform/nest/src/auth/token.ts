import { PlatformError, Role, Uuid, type Service } from '@centralita/contracts';
import { createRemoteJWKSet, jwtVerify, errors, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

export const TOKEN_ISSUER = 'centralita-gateway';

/**
 * A token with a scope opens what is meant for it and nothing else. `denial`: the gateway has a refusal recorded; `operations`: an
 * operator works on this service directly.
 */
export const TokenScopes = ['denial', 'operations'] as const;
export type TokenScope = (typeof TokenScopes)[number];

/** Claims of the tokens that the gateway signs. */
export const TokenClaims = z.object({
  sub: Uuid,
  tenant: Uuid,
  roles: z.array(Role),
  sid: z.string().min(1).max(64),
  scope: z.enum(TokenScopes).optional(),
  ip: z.string().max(64).optional(),
  ua: z.string().max(64).optional(),
});
export type TokenClaims = z.infer<typeof TokenClaims>;

export type TokenVerifier = { verify(authorization: string | undefined): Promise<TokenClaims> };

/** Keys by address with jose's cache: read again every ten minutes, and at an unknown key id at most once in 30 s. */
export const remoteKeys = (url: string): JWTVerifyGetKey => createRemoteJWKSet(new URL(url), { timeoutDuration: 3000 });

/**
 * Accepts only EdDSA tokens of the gateway for this service. Throws UNAUTHENTICATED for any bad token, UPSTREAM_UNAVAILABLE when the
 * keys cannot be read: an outage of the gateway must not look like a forged token. A token that was good stays so until it expires,
 * without checking its signature again: the gateway uses one for the calls of half a minute.
 */
export const tokenVerifier = (service: Service, keys: JWTVerifyGetKey): TokenVerifier => {
  const good = new LRUCache<string, { readonly claims: TokenClaims; readonly expiresAt: number }>({ max: 2000 });
  const verify = async (token: string): Promise<TokenClaims> => {
    let payload: unknown;
    let expiresAt = 0;
    try {
      const verified = await jwtVerify(token, keys, {
        algorithms: ['EdDSA'],
        issuer: TOKEN_ISSUER,
        audience: service,
        requiredClaims: ['exp', 'sub'],
        maxTokenAge: '5 minutes',
        clockTolerance: 5,
      });
      ({ payload } = verified);
      expiresAt = verified.payload.exp ?? 0;
    } catch (error) {
      const unreachable =
        !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
      if (unreachable)
        throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the keys of the gateway cannot be read', {}, { cause: error });
      throw new PlatformError('UNAUTHENTICATED', 'the token is not valid', { reason: error.code }, { cause: error });
    }
    const claims = TokenClaims.safeParse(payload);
    if (!claims.success) throw new PlatformError('UNAUTHENTICATED', 'the token lacks claims', { reason: 'claims' });
    good.set(token, { claims: claims.data, expiresAt });
    return claims.data;
  };
  return {
    async verify(authorization) {
      const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
      if (!token) throw new PlatformError('UNAUTHENTICATED', 'a token of the gateway is required');
      const known = good.get(token);
      return known && known.expiresAt * 1000 > Date.now() ? known.claims : verify(token);
    },
  };
};
