import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type KoaContext } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';

// Keys, an adapter and lifetimes of its own: for the defaults the provider prints a page of warnings.
class Memory extends MemoryAdapter {}
const { privateKey: signingKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export type TestPerson = {
  readonly sub: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** How this person signs in; without it the provider says nothing of it. */
  readonly acr?: string;
};

/** A real OpenID provider that signs in whoever is `next`, without a form. */
export const startTestIdentity = async (
  redirectUri: string,
): Promise<{
  readonly issuer: string;
  next(person: TestPerson): void;
  /** The next request for tokens finds its connection closed. */
  hangUpOnce(): void;
  stop(): Promise<void>;
}> => {
  let hangsUp = false;
  const people = new Map<string, TestPerson>();
  let current = '';
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    adapter: Memory,
    jwks: { keys: [{ ...signingKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 60, Interaction: 60, Session: 60, Grant: 60 },
    cookies: { keys: ['for-tests-only'] },
    clients: [
      {
        client_id: 'centralita',
        client_secret: 'secret-of-the-client',
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [new URL('/', redirectUri).href],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    acrValues: ['password', 'second-factor'],
    claims: { openid: ['sub', 'tenant', 'roles', 'label'], profile: [] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub)?.claims }) }),
    loadExistingGrant: async (context: KoaContext) => {
      const grant = new provider.Grant({ accountId: context.oidc.session?.accountId ?? '', clientId: 'centralita' });
      grant.addOIDCScope('openid profile');
      await grant.save(60);
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (hangsUp && request.url === '/token') {
      hangsUp = false;
      return request.destroy();
    }
    if (!request.url?.startsWith('/interaction/')) return answer(request, response);
    const acr = people.get(current)?.acr;
    const login = { accountId: current, ...(acr === undefined ? {} : { acr }) };
    void provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  });
  return {
    issuer,
    next: (person) => {
      people.set(person.sub, person);
      current = person.sub;
    },
    hangUpOnce: () => {
      hangsUp = true;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Follows redirects and keeps cookies by host and port, as a browser would for hosts. */
export class TestBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** All set-cookie lines that were seen. */
  readonly lines: string[] = [];

  cookies(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    return jar;
  }

  /** One request; redirects are not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const jar = this.cookies(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = new Headers(init.headers);
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      this.lines.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0|1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Follows redirects until there is none, or the address starts with `until`. */
  async follow(start: string, until?: string): Promise<{ url: string; response: Response }> {
    let url = start;
    for (let hops = 0; hops < 15; hops += 1) {
      const response = await this.request(url);
      const location = response.headers.get('location');
      if (location === null) return { url, response };
      await response.body?.cancel();
      url = new URL(location, url).href;
      if (until !== undefined && url.startsWith(until)) return { url, response };
    }
    throw new Error('too many redirects');
  }
}
