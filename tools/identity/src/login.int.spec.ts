import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import { loginThroughOidc, startIdentity } from './index.js';
import type { RunningIdentity } from './index.js';

const tenant = '0197b2a0-0000-7000-8000-00000000000a';
const agent = {
  sub: '0197b2a0-0000-7000-8000-000000000001',
  username: 'agent-1',
  password: 'correct <horse>',
  label: 'Agent 1',
  tenant,
  roles: ['agent' as const],
};
const auditor = {
  ...agent,
  sub: '0197b2a0-0000-7000-8000-000000000002',
  username: 'compliance-1',
  label: 'Compliance 1',
  roles: ['compliance' as const],
};

describe('signing in through the development provider', () => {
  // A gateway in small: code flow with PKCE by the same client library as the real one.
  let identity: RunningIdentity;
  let gateway: Server;
  let root: string;
  const claims: Record<string, unknown>[] = [];

  beforeAll(async () => {
    gateway = createServer();
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    identity = await startIdentity({ users: [agent, auditor], redirectUris: [`${root}/auth/callback`] });
    const client = await oidc.discovery(new URL(identity.issuer), identity.clientId, undefined, oidc.None(), {
      execute: [oidc.allowInsecureRequests],
    });
    const verifier = oidc.randomPKCECodeVerifier();
    const challenge = await oidc.calculatePKCECodeChallenge(verifier);
    gateway.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', root);
      if (url.pathname === '/auth/login') {
        const to = oidc.buildAuthorizationUrl(client, {
          redirect_uri: `${root}/auth/callback`,
          scope: 'openid profile',
          code_challenge: challenge,
          code_challenge_method: 'S256',
        });
        return void response.writeHead(302, { location: to.href, 'set-cookie': 'pending=1; HttpOnly' }).end();
      }
      void oidc.authorizationCodeGrant(client, url, { pkceCodeVerifier: verifier }).then(
        (tokens) => {
          claims.push({ ...tokens.claims() });
          response.writeHead(302, { location: '/', 'set-cookie': ['session=s1; HttpOnly; Path=/', 'pending=; Max-Age=0'] }).end();
        },
        () => void response.writeHead(502).end(),
      );
    });
  });

  afterAll(async () => {
    await identity.stop();
    await new Promise((resolve) => gateway.close(resolve));
  });

  it('gives a script the session cookie, and the gateway the claims in the id token', async () => {
    const signedIn = await loginThroughOidc({
      loginUrl: `${root}/auth/login`,
      username: agent.username,
      password: agent.password,
    });
    expect(signedIn).toEqual({ cookie: 'session=s1', cookies: { session: 's1' } });
    expect(claims.at(-1)).toMatchObject({ sub: agent.sub, tenant, roles: ['agent'], label: 'Agent 1' });
  });

  it('refuses a wrong password', async () => {
    const before = claims.length;
    await expect(
      loginThroughOidc({ loginUrl: `${root}/auth/login`, username: agent.username, password: 'wrong' }),
    ).rejects.toThrow(/answered 401/);
    expect(claims).toHaveLength(before);
  });

  it('refuses a code flow without PKCE', async () => {
    const address = new URL('/auth', identity.issuer);
    address.search = new URLSearchParams({
      client_id: identity.clientId,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${root}/auth/callback`,
    }).toString();
    const response = await fetch(address, { redirect: 'manual' });
    expect(response.headers.get('location')).toContain('error=invalid_request');
  });

  it('lists every user on its page, with markup in values escaped', async () => {
    const start = await fetch(`${root}/auth/login`, { redirect: 'manual' });
    const begun = await fetch(start.headers.get('location') ?? '', { redirect: 'manual' });
    const cookie = begun.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const page = await (
      await fetch(new URL(begun.headers.get('location') ?? '', identity.issuer), { headers: { cookie } })
    ).text();
    expect(page).toContain('Agent 1');
    expect(page).toContain('Compliance 1');
    expect(page).toContain('correct &lt;horse&gt;');
  });

  it('refuses to start in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(startIdentity({ users: [agent], redirectUris: [`${root}/auth/callback`] })).rejects.toThrow(
        /refuses to start/,
      );
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});
