import { PlatformError } from '@centralita/contracts';
import { EncryptJWT, jwtDecrypt } from 'jose';
import * as client from 'openid-client';
import { z } from 'zod';
import type { GatewayConfig } from '../config.js';
import { derivedKey } from '../session/sessions.js';

const LOGIN_SECONDS = 600;

const Pending = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), returnTo: z.string() });

/** Only paths of our own site: `//host` and `/\host` are other hosts to a browser. */
export const safeReturnTo = (returnTo: string | undefined): string =>
  returnTo !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(returnTo) && !returnTo.includes('\\') ? returnTo : '/';

/**
 * Sign-ins are rare and a code can be taken once: a kept connection that the provider closes at the moment of a request would cost
 * somebody their sign-in, and nobody would gain by keeping it.
 */
const withoutKeepAlive: client.CustomFetch = (url, options) =>
  fetch(url, { ...options, headers: { ...options.headers, connection: 'close' } }).catch((error: unknown) => {
    throw noAnswer(error);
  });

/** The provider could not be asked, or failed by its own word: nothing is wrong with what the browser brought. */
const isOutage = (error: unknown): boolean =>
  (error instanceof Error && error.cause instanceof PlatformError) ||
  (error instanceof client.ResponseBodyError && error.status >= 500) ||
  (error instanceof client.ClientError && error.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM');

const noAnswer = (cause: unknown): PlatformError =>
  new PlatformError('UPSTREAM_UNAVAILABLE', 'the identity provider does not answer', {}, { cause });

/** The code at the bottom of a failure: what the network or the provider said, whoever has wrapped it. */
const codeOf = (error: unknown): string | null => {
  if (typeof error !== 'object' || error === null) return null;
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  return codeOf(cause) ?? (typeof code === 'string' ? code : null);
};

/** Authorization code flow with PKCE, state and nonce. What must survive the way to the provider travels sealed in a cookie. */
export class OidcLogin {
  readonly #key: Uint8Array;
  #provider: Promise<client.Configuration> | undefined;

  constructor(private readonly config: GatewayConfig) {
    this.#key = new Uint8Array(derivedKey(config.SESSION_SECRET, 'login').export());
  }

  /** Where to send the browser, and what its login cookie holds. */
  async begin(returnTo: string | undefined): Promise<{ location: string; cookie: string }> {
    const provider = await this.#discovered();
    const pending = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      returnTo: safeReturnTo(returnTo),
    };
    const location = client.buildAuthorizationUrl(provider, {
      redirect_uri: this.#redirectUri(),
      scope: this.config.OIDC_SCOPE,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      ...(this.config.OIDC_REQUIRED_ACR ? { acr_values: this.config.OIDC_REQUIRED_ACR.join(' ') } : {}),
    });
    const cookie = await new EncryptJWT(pending)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(`${LOGIN_SECONDS}s`)
      .encrypt(this.#key);
    return { location: location.href, cookie };
  }

  /** Takes the code. Throws UNAUTHENTICATED when the answer does not belong to a login that this browser began. */
  async finish(
    query: string,
    cookie: string | undefined,
  ): Promise<{ claims: Record<string, unknown> & { sub: string }; returnTo: string }> {
    const pending = await this.#pending(cookie);
    const provider = await this.#discovered();
    const answer = new URL(this.#redirectUri());
    answer.search = query;
    try {
      const tokens = await client.authorizationCodeGrant(provider, answer, {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new PlatformError('UNAUTHENTICATED', 'the provider sent no ID token');
      const { OIDC_REQUIRED_ACR: required } = this.config;
      // What was asked for by `acr_values` is a wish to the provider; the token says what was done.
      if (required && !(typeof claims.acr === 'string' && required.includes(claims.acr)))
        throw new PlatformError('UNAUTHENTICATED', 'the sign-in was not as strong as this installation requires', { required });
      return { claims: { ...claims }, returnTo: pending.returnTo };
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      if (isOutage(error)) throw noAnswer(error);
      throw new PlatformError('UNAUTHENTICATED', 'the sign-in was not completed; begin again', {}, { cause: error });
    }
  }

  /** Where the provider ends its own session, or null when it does not say. */
  async logoutUrl(): Promise<string | null> {
    const provider = await this.#discovered();
    if (!provider.serverMetadata().end_session_endpoint) return null;
    return client.buildEndSessionUrl(provider, { post_logout_redirect_uri: new URL('/', this.config.PUBLIC_URL).href }).href;
  }

  /** One sentence while the provider has not said yet who it is, or null. */
  async problem(): Promise<string | null> {
    try {
      await this.#discovered();
      return null;
    } catch (error) {
      const cause = error instanceof PlatformError ? error.cause : error;
      const code = codeOf(cause);
      return `the identity provider ${this.config.OIDC_ISSUER} cannot be asked who it is${code === null ? '' : ` (${code})`}`;
    }
  }

  /** Asked at the start, and again after a failure: the gateway starts before its provider is up. */
  #discovered(): Promise<client.Configuration> {
    const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET } = this.config;
    const options = {
      timeout: 10,
      [client.customFetch]: withoutKeepAlive,
      ...(OIDC_ISSUER.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {}),
    };
    const authentication = OIDC_CLIENT_SECRET ? client.ClientSecretBasic(OIDC_CLIENT_SECRET) : client.None();
    this.#provider ??= client
      .discovery(new URL(OIDC_ISSUER), OIDC_CLIENT_ID, undefined, authentication, options)
      .catch((error: unknown) => {
        this.#provider = undefined;
        throw noAnswer(error);
      });
    return this.#provider;
  }

  async #pending(cookie: string | undefined): Promise<z.infer<typeof Pending>> {
    try {
      const { payload } = await jwtDecrypt(cookie ?? '', this.#key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return Pending.parse(payload);
    } catch (error) {
      throw new PlatformError('UNAUTHENTICATED', 'this browser has no sign-in under way; begin again', {}, { cause: error });
    }
  }

  #redirectUri(): string {
    return new URL('/auth/callback', this.config.PUBLIC_URL).href;
  }
}
