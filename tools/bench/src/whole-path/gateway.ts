// The gateway's part in a call of an agent: a short-lived token for one service, in the agent's name. Login and proxying are left out.
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type { Server } from 'node:http';
import type { Role, Service } from '@centralita/contracts';
import { TOKEN_ISSUER } from '@centralita/platform-nest';
import { exportJWK, SignJWT } from 'jose';
import { serve } from './http.js';

const REUSED_MS = 30_000;

export class Gateway {
  readonly #tokens = new Map<string, { readonly value: Promise<string>; readonly until: number }>();
  readonly #session = randomBytes(8).toString('hex');

  private constructor(
    /** Where services find its public key. */
    readonly jwksUrl: string,
    private readonly server: Server,
    private readonly key: KeyObject,
    private readonly tenantId: string,
  ) {}

  static async open(tenantId: string): Promise<Gateway> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA', use: 'sig' }] });
    const { url, server } = await serve(async (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(keys);
    });
    return new Gateway(`${url}/.well-known/jwks.json`, server, privateKey, tenantId);
  }

  /** Used again for half of its life, as the gateway does. */
  token(service: Service, actorId: string, role: Role): Promise<string> {
    const name = `${service} ${actorId}`;
    const known = this.#tokens.get(name);
    if (known !== undefined && known.until > performance.now()) return known.value;
    const value = new SignJWT({ tenant: this.tenantId, roles: [role], sid: this.#session, ip: '192.0.2.1', ua: 'Firefox/140.0' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'bench', typ: 'JWT' })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(service)
      .setSubject(actorId)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(this.key);
    this.#tokens.set(name, { value, until: performance.now() + REUSED_MS });
    return value;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
