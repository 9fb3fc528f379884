import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto';
import Provider from 'oidc-provider';
import type { KoaContext } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import { messagePage, signInPage, signOutPage } from './pages.js';
import { usersSchema } from './users.js';
import type { IdentityUser } from './users.js';

export type IdentityOptions = {
  /** 0 for a free one. */
  port?: number;
  users: readonly IdentityUser[];
  /** Where the gateway takes the code back (`…/auth/callback`). */
  redirectUris: readonly string[];
  /** Where a browser may go after signing out; by default the roots of the redirect addresses. */
  postLogoutRedirectUris?: readonly string[];
  clientId?: string;
  /** Without it the client is public and PKCE alone protects the code. */
  clientSecret?: string;
};

export type RunningIdentity = {
  readonly issuer: string;
  readonly port: number;
  readonly clientId: string;
  stop(): Promise<void>;
};

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 16_384) throw new Error('form too large');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

const sameText = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};

const html = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(body);
};

// A name of its own, or the provider warns at every start that its default keeps nothing over a restart: here nothing should be kept.
class Memory extends MemoryAdapter {}

const configuration = (options: IdentityOptions, clientId: string): Record<string, unknown> => {
  const day = 24 * 60 * 60;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const roots = options.redirectUris.map((uri) => new URL('/', uri).href);
  return {
    adapter: Memory,
    // RS256 is what every OIDC client accepts unasked.
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: clientId,
        ...(options.clientSecret === undefined
          ? { token_endpoint_auth_method: 'none' }
          : { token_endpoint_auth_method: 'client_secret_basic', client_secret: options.clientSecret }),
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [
          ...(options.postLogoutRedirectUris ?? new Set([...roots, ...roots.map((root) => root.slice(0, -1))])),
        ],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        application_type: 'web',
      },
    ],
    scopes: ['openid', 'profile'],
    claims: { openid: ['sub', 'tenant', 'roles', 'label'], profile: ['name'] },
    // The id token itself carries them: the gateway needs no second call.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 3_600, Session: day, Grant: day },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: KoaContext, form: string): void => {
          context.type = 'html';
          context.body = signOutPage(form);
        },
        postLogoutSuccessSource: (context: KoaContext): void => {
          context.type = 'html';
          context.body = messagePage('Signed out', 'You may close this page.');
        },
      },
    },
    interactions: { url: (_: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    clientBasedCORS: () => false,
    renderError: (context: KoaContext, out: { error: string; error_description?: string }): void => {
      context.type = 'html';
      context.body = messagePage('Sign-in failed', `${out.error}: ${out.error_description ?? ''}`);
    },
    findAccount: (_: unknown, sub: string) => {
      const user = options.users.find((one) => one.sub === sub);
      if (user === undefined) return undefined;
      const { tenant, roles, label } = user;
      return { accountId: sub, claims: () => ({ sub, tenant, roles, label, name: label }) };
    },
  };
};

/** Starts the development provider on loopback. It knows every password in clear, so it refuses to run in production. */
export const startIdentity = async (options: IdentityOptions): Promise<RunningIdentity> => {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error(
      'The development identity provider refuses to start with NODE_ENV=production: set OIDC_ISSUER to a real one.',
    );
  }
  const users = usersSchema.parse(options.users);
  const clientId = options.clientId ?? 'centralita';

  // The issuer's address is part of every token, so the port must be known before the provider is built.
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    ...configuration(options, clientId),
    // The only client is our own gateway: nobody has to consent.
    loadExistingGrant: async (context: KoaContext) => {
      const [accountId, client] = [context.oidc.session?.accountId, context.oidc.client?.clientId];
      if (accountId === undefined || client === undefined) return undefined;
      const grant = new provider.Grant({ accountId, clientId: client });
      grant.addOIDCScope('openid profile');
      await grant.save(24 * 60 * 60);
      return grant;
    },
  });
  const answer = provider.callback();

  const interaction = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { uid } = await provider.interactionDetails(request, response);
    const action = `/interaction/${uid}`;
    if (request.method !== 'POST') return html(response, 200, signInPage(action, users, false));
    const form = await readForm(request);
    const user = users.find((one) => one.username === form.get('username'));
    if (user === undefined || !sameText(user.password, form.get('password') ?? ''))
      return html(response, 401, signInPage(action, users, true));
    await provider.interactionFinished(request, response, { login: { accountId: user.sub } }, { mergeWithLastSubmission: false });
  };

  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', issuer);
    if (pathname === '/health')
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        // The launcher recognises by this a provider that it can sign its users in at.
        .end(JSON.stringify({ provider: 'centralita-identity', users: users.map(({ sub }) => sub) }));
    if (!pathname.startsWith('/interaction/')) return answer(request, response);
    // An interaction that is over (back button, second tab) is the user's ordinary mistake, not a failure of the provider.
    interaction(request, response).catch(() =>
      html(response, 400, messagePage('This sign-in has expired', 'Go back to the application and sign in again.')),
    );
  });
  return {
    issuer,
    port,
    clientId,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
