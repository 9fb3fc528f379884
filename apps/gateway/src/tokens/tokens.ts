import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Service } from '@centralita/contracts';
import { TOKEN_ISSUER, type TokenScope } from '@centralita/platform-nest';
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { SessionRecord } from '../session/sessions.js';

/** Where a call came from; services store commitments of it. */
export type CallOrigin = { readonly address?: string | undefined; readonly userAgent?: string | undefined };

type Principal = Pick<SessionRecord, 'actorId' | 'tenantId' | 'roles' | 'reference'>;

const TOKEN_SECONDS = 60;
/** For a person who reads what the command says between two commands; services take no older token. */
const OPERATOR_TOKEN_SECONDS = 300;
/** A token is used again while at least half of its life is left: signing costs more than everything else about a small call. */
const REUSED_MS = (TOKEN_SECONDS * 1000) / 2;

/** Product of the browser, for example `Firefox/140.0`: enough for an auditor, too little for a fingerprint. */
export const productOf = (userAgent: string | undefined): string | undefined =>
  (/\b(?:Firefox|Edg|OPR|Chrome|HeadlessChrome)\/[\d.]+/.exec(userAgent ?? '') ??
    /\bVersion\/[\d.]+(?= .*Safari)/.exec(userAgent ?? '') ??
    /^[\w.-]+(?:\/[\w.-]+)?/.exec(userAgent ?? ''))?.[0].slice(0, 64);

/** Signs short-lived tokens for calls downstream: each for one service, in the name of one session, from one origin. */
export class Tokens {
  readonly #recent = new LRUCache<string, Promise<string>>({ max: 10_000, ttl: REUSED_MS });

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

  /** A token of the session for the service, valid for 30 to 60 seconds. */
  for(service: Service, session: Principal, origin: CallOrigin): Promise<string> {
    const product = productOf(origin.userAgent);
    // Everything that stands in the token, but for the roles: those belong to the session from its beginning to its end.
    const key = JSON.stringify([service, session.tenantId, session.actorId, session.reference, origin.address, product]);
    const recent = this.#recent.get(key);
    if (recent) return recent;
    const signed = this.#sign(service, session, origin.address, product);
    this.#recent.set(key, signed);
    signed.catch(() => this.#recent.delete(key));
    return signed;
  }

  /** A token that opens nothing: with it a service records that the session was refused. */
  forDenial(service: Service, session: Principal, origin: CallOrigin): Promise<string> {
    return this.#sign(service, session, origin.address, productOf(origin.userAgent), { scope: 'denial' });
  }

  /** A token that opens the operations of the service and nothing else, whatever other roles the session has; valid for five minutes. */
  forOperator(service: Service, session: Principal, origin: CallOrigin): Promise<string> {
    const operator: Principal = { ...session, roles: ['platform'] };
    return this.#sign(service, operator, origin.address, productOf(origin.userAgent), {
      scope: 'operations',
      seconds: OPERATOR_TOKEN_SECONDS,
    });
  }

  #sign(
    service: Service,
    session: Principal,
    address: string | undefined,
    product: string | undefined,
    { scope, seconds = TOKEN_SECONDS }: { readonly scope?: TokenScope; readonly seconds?: number } = {},
  ): Promise<string> {
    return new SignJWT({
      tenant: session.tenantId,
      roles: session.roles,
      sid: session.reference,
      ...(scope ? { scope } : {}),
      ...(address ? { ip: address } : {}),
      ...(product ? { ua: product } : {}),
    })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.kid, typ: 'JWT' })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(service)
      .setSubject(session.actorId)
      .setIssuedAt()
      .setExpirationTime(`${seconds}s`)
      .sign(this.key);
  }
}
