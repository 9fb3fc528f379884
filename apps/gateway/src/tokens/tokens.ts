import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Service } from '@centralita/contracts';
import { TOKEN_ISSUER } from '@centralita/platform-nest';
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK } from 'jose';
import type { SessionRecord } from '../session/sessions.js';

/** Where a call came from; services store commitments of it. */
export type CallOrigin = { readonly address?: string | undefined; readonly userAgent?: string | undefined };

const TOKEN_SECONDS = 60;

/** Product of the browser, for example `Firefox/140.0`: enough for an auditor, too little for a fingerprint. */
export const productOf = (userAgent: string | undefined): string | undefined =>
  (/\b(?:Firefox|Edg|OPR|Chrome|HeadlessChrome)\/[\d.]+/.exec(userAgent ?? '') ??
    /\bVersion\/[\d.]+(?= .*Safari)/.exec(userAgent ?? '') ??
    /^[\w.-]+(?:\/[\w.-]+)?/.exec(userAgent ?? ''))?.[0].slice(0, 64);

/** Signs one short-lived token per call downstream, for one service, in the name of one session. */
export class Tokens {
  private constructor(
    private readonly key: KeyObject,
    private readonly kid: string,
    private readonly publicKey: JWK,
  ) {}

  static async open(key: KeyObject): Promise<Tokens> {
    const publicKey = await exportJWK(createPublicKey(key));
    const kid = await calculateJwkThumbprint(publicKey);
    return new Tokens(key, kid, { ...publicKey, kid, alg: 'EdDSA', use: 'sig' });
  }

  /** What services verify tokens with. */
  get jwks(): { keys: JWK[] } {
    return { keys: [this.publicKey] };
  }

  sign(
    service: Service,
    session: Pick<SessionRecord, 'actorId' | 'tenantId' | 'roles' | 'reference'>,
    origin: CallOrigin,
    scope?: 'denial',
  ): Promise<string> {
    const product = productOf(origin.userAgent);
    return new SignJWT({
      tenant: session.tenantId,
      roles: session.roles,
      sid: session.reference,
      ...(scope ? { scope } : {}),
      ...(origin.address ? { ip: origin.address } : {}),
      ...(product ? { ua: product } : {}),
    })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.kid, typ: 'JWT' })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(service)
      .setSubject(session.actorId)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(this.key);
  }
}
