import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Problem } from '@centralita/contracts';
import { tokenVerifier } from '@centralita/platform-nest';
import { freePort, until } from '@centralita/testing-engines';
import { createRemoteJWKSet } from 'jose';
import { Client } from 'pg';
import { ownPage, startHarness, type Harness } from '../testing/gateway-harness.spec.js';
import { TestBrowser } from '../testing/identity.spec.js';

/** As a browser asks when a person goes to an address; `fetch` names a mode of its own. */
const navigate = async (url: string, headers: Record<string, string>): Promise<IncomingMessage> => {
  const [response] = (await once(get(url, { headers: { ...headers, 'sec-fetch-mode': 'navigate' } }), 'response')) as [
    IncomingMessage,
  ];
  response.resume();
  return response;
};

describe('signing in', () => {
  let sut: Harness;
  beforeAll(async () => {
    sut = await startHarness();
  });
  afterAll(() => sut.stop());

  const codeOf = async (response: Response): Promise<[number, string]> => [
    response.status,
    Problem.parse(await response.json()).code,
  ];
  const sessionCookie = (browser: TestBrowser): string => browser.cookies(sut.url).get('centralita-session') ?? '';

  it('comes back where it began, with a session of claims, a strict cookie, and only a hash in the database', async () => {
    const sub = randomUUID();
    sut.identity.next({
      sub,
      claims: { tenant: sut.tenants[0]?.tenantId, roles: ['supervisor', 'agent', 'emperor'], label: 'Agent One' },
    });
    const browser = new TestBrowser();
    const { url, response } = await browser.follow(`${sut.url}/auth/login?returnTo=/inbox/mine%3Fa`);
    expect([url, response.status]).toEqual([`${sut.url}/inbox/mine?a`, 200]);

    const session = await browser.request(`${sut.url}/api/session`, { headers: ownPage });
    expect(session.headers.get('cache-control')).toBe('no-store');
    expect(await session.json()).toMatchObject({
      actorId: sub,
      tenantId: sut.tenants[0]?.tenantId,
      tenantName: 'Tenant A',
      label: 'Agent One',
      roles: ['agent', 'supervisor'],
    });

    const line = browser.lines.find((one) => one.startsWith('centralita-session='));
    expect(line).toMatch(/; Path=\/;.*HttpOnly; SameSite=Strict/);
    expect(browser.lines.find((one) => one.startsWith('centralita-login=ey'))).toMatch(/; Path=\/auth; HttpOnly; SameSite=Lax/);
    expect(browser.cookies(sut.url).has('centralita-login')).toBe(false);

    const admin = new Client({ connectionString: sut.database.adminUrl });
    await admin.connect();
    const { rows } = await admin.query<{ id_hash: Buffer }>('select * from session where actor_id = $1', [sub]);
    await admin.end();
    expect(rows).toHaveLength(1);
    const id = sessionCookie(browser);
    expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(rows[0]?.id_hash.equals(Buffer.from(id, 'base64url'))).toBe(false);
    expect(JSON.stringify([rows, sut.logged])).not.toContain(id);
  });

  it('gives a new session id at every sign-in and ends the old one', async () => {
    const browser = await sut.signIn({ sub: randomUUID(), roles: ['agent'] });
    const first = sessionCookie(browser);
    await browser.follow(`${sut.url}/auth/login`);
    expect(sessionCookie(browser)).not.toBe(first);
    const old = await fetch(`${sut.url}/api/session`, { headers: { ...ownPage, cookie: `centralita-session=${first}` } });
    expect(await codeOf(old)).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('ends with signing out, here and at the provider', async () => {
    const browser = await sut.signIn({ sub: randomUUID(), roles: ['agent'] });
    const id = sessionCookie(browser);
    expect((await browser.request(`${sut.url}/auth/logout`, { method: 'POST' })).status).toBe(403);
    const answer = await browser.request(`${sut.url}/auth/logout`, { method: 'POST', headers: ownPage });
    expect([
      answer.status,
      ((await answer.json()) as { redirect: string }).redirect.startsWith(`${sut.identity.issuer}/session/end?`),
    ]).toEqual([200, true]);
    expect(sessionCookie(browser)).toBe('');
    const again = await fetch(`${sut.url}/api/session`, { headers: { ...ownPage, cookie: `centralita-session=${id}` } });
    expect(again.status).toBe(401);
  });

  it('derives a stable actor id from a subject that is no UUID', async () => {
    const ids = await Promise.all(
      ['auth0|7', 'auth0|7'].map(async (sub) => {
        const browser = await sut.signIn({ sub, roles: ['agent'] });
        return ((await (await browser.request(`${sut.url}/api/session`, { headers: ownPage })).json()) as { actorId: string })
          .actorId;
      }),
    );
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it('refuses people of another tenant and people without a role', async () => {
    for (const claims of [
      { tenant: randomUUID(), roles: ['agent'] },
      { tenant: sut.tenants[0]?.tenantId, roles: ['emperor'] },
      { tenant: sut.tenants[0]?.tenantId },
    ]) {
      sut.identity.next({ sub: randomUUID(), claims });
      const browser = new TestBrowser();
      const { response } = await browser.follow(`${sut.url}/auth/login`);
      expect(await codeOf(response)).toEqual([403, 'FORBIDDEN']);
      expect(sessionCookie(browser)).toBe('');
    }
  });

  it('brings a person who is refused back to the console, with the reason', async () => {
    sut.identity.next({ sub: randomUUID(), claims: { tenant: randomUUID(), roles: ['agent'] } });
    const browser = new TestBrowser();
    const { url: callback } = await browser.follow(`${sut.url}/auth/login`, `${sut.url}/auth/callback`);
    const cookie = `centralita-login=${browser.cookies(sut.url).get('centralita-login') ?? ''}`;
    const refused = await navigate(callback, { cookie });
    expect([
      refused.statusCode,
      refused.headers.location,
      refused.headers['cache-control'],
      refused.headers['set-cookie'],
    ]).toEqual([302, '/?signIn=FORBIDDEN', 'no-store', undefined]);
    expect((await navigate(callback, {})).headers.location).toBe('/?signIn=UNAUTHENTICATED');
  });

  it('takes a code only in the browser that began, once, with its own state', async () => {
    sut.identity.next({ sub: randomUUID(), claims: { tenant: sut.tenants[0]?.tenantId, roles: ['agent'] } });
    const browser = new TestBrowser();
    const { url: callback } = await browser.follow(`${sut.url}/auth/login`, `${sut.url}/auth/callback`);
    const loginCookie = browser.cookies(sut.url).get('centralita-login') ?? '';
    // Another browser, another state, a tampered cookie.
    expect(await codeOf(await fetch(callback))).toEqual([401, 'UNAUTHENTICATED']);
    const other = new TestBrowser();
    await other.request(`${sut.url}/auth/login`);
    expect(await codeOf(await other.request(callback))).toEqual([401, 'UNAUTHENTICATED']);
    const tampered = await fetch(callback, { headers: { cookie: `centralita-login=${loginCookie.slice(0, -3)}AAA` } });
    expect(await codeOf(tampered)).toEqual([401, 'UNAUTHENTICATED']);
    const taken = await browser.request(callback);
    expect([taken.status, sut.logged.at(-1)?.['msg']]).toEqual([302, 'signed in']);
    const replayed = await fetch(callback, { headers: { cookie: `centralita-login=${loginCookie}` } });
    expect(await codeOf(replayed)).toEqual([401, 'UNAUTHENTICATED']);
    expect(sut.logged.at(-1)).toMatchObject({ msg: 'sign-in refused', code: 'UNAUTHENTICATED', reason: 'invalid_grant' });
  });

  it('says that the provider hung up, and takes the same code at the next try', async () => {
    sut.identity.next({ sub: randomUUID(), claims: { tenant: sut.tenants[0]?.tenantId, roles: ['agent'] } });
    const browser = new TestBrowser();
    const { url: callback } = await browser.follow(`${sut.url}/auth/login`, `${sut.url}/auth/callback`);
    sut.identity.hangUpOnce();
    expect(await codeOf(await browser.request(callback))).toEqual([502, 'UPSTREAM_UNAVAILABLE']);
    expect((await browser.request(callback)).status).toBe(302);
  });

  it('never sends anybody to another site', async () => {
    for (const returnTo of [
      '//evil.example',
      'https://evil.example/',
      '/\\evil.example',
      '/%0d%0aset-cookie:x=1',
      '/\tx',
      'javascript:alert(1)',
    ]) {
      sut.identity.next({ sub: randomUUID(), claims: { tenant: sut.tenants[0]?.tenantId, roles: ['agent'] } });
      const browser = new TestBrowser();
      const { url } = await browser.follow(`${sut.url}/auth/login?returnTo=${encodeURIComponent(returnTo)}`);
      expect(new URL(url).origin).toBe(sut.url);
    }
  });
});

describe('the token of an operator', () => {
  let sut: Harness;
  beforeAll(async () => {
    sut = await startHarness();
  });
  afterAll(() => sut.stop());

  const ask = (browser: TestBrowser, service: string, headers: Record<string, string> = ownPage): Promise<Response> =>
    browser.request(`${sut.url}/auth/operator-token?service=${service}`, { headers });

  it('is for people of the platform team, for one service, and is not kept by anybody', async () => {
    const sub = randomUUID();
    const browser = await sut.signIn({ sub, roles: ['platform', 'agent'] });
    const answer = await ask(browser, 'conversation');
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('content-type')]).toEqual([
      200,
      'no-store',
      'text/plain; charset=utf-8',
    ]);
    const keys = createRemoteJWKSet(new URL(`${sut.url}/.well-known/jwks.json`));
    const claims = await tokenVerifier('conversation', keys).verify(`Bearer ${(await answer.text()).trim()}`);
    expect(claims).toMatchObject({ sub, tenant: sut.tenants[0]?.tenantId, roles: ['platform'], scope: 'operations' });
    expect((await ask(browser, 'ingest', { 'sec-fetch-site': 'none' })).status).toBe(200);

    expect((await ask(browser, 'gateway')).status).toBe(400);
    expect((await ask(browser, 'conversation', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await ask(await sut.signIn({ sub: randomUUID(), roles: ['supervisor', 'agent'] }), 'conversation')).status).toBe(403);
    expect((await ask(new TestBrowser(), 'conversation')).status).toBe(401);
  });
});

describe('the rate of sign-ins', () => {
  it('is bounded per address', async () => {
    const sut = await startHarness({ LOGIN_RATE_PER_MINUTE: '3' });
    try {
      const statuses: number[] = [];
      for (let times = 0; times < 5; times += 1)
        statuses.push((await fetch(`${sut.url}/auth/login`, { redirect: 'manual' })).status);
      expect(statuses).toEqual([302, 302, 302, 429, 429]);
    } finally {
      await sut.stop();
    }
  });
});

describe('a sign-in that must be strong', () => {
  it('is asked for, and refused when the provider does not say that it was', async () => {
    const sut = await startHarness({ OIDC_REQUIRED_ACR: 'second-factor,hardware' });
    try {
      const begun = await fetch(`${sut.url}/auth/login`, { redirect: 'manual' });
      expect(new URL(begun.headers.get('location') ?? '').searchParams.get('acr_values')).toBe('second-factor hardware');
      const claims = { tenant: sut.tenants[0]?.tenantId, roles: ['agent'] };
      const signIn = async (acr?: string): Promise<number> => {
        sut.identity.next({ sub: randomUUID(), claims, ...(acr === undefined ? {} : { acr }) });
        return (await new TestBrowser().follow(`${sut.url}/auth/login?returnTo=/x`)).response.status;
      };
      expect([await signIn(), await signIn('password'), await signIn('second-factor')]).toEqual([401, 401, 200]);
    } finally {
      await sut.stop();
    }
  });
});

describe('a gateway whose identity provider is away', () => {
  it('starts, says so in one sentence and is not ready, until the provider is there; later outages change nothing', async () => {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const sut = await startHarness({ OIDC_ISSUER: issuer });
    const provider = createServer((_, response) =>
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
        }),
      ),
    );
    try {
      const identity = async (): Promise<string | undefined> => (await sut.gateway.health.ready()).failing.identity;
      await until(async () => (await identity())?.includes('ECONNREFUSED'));
      expect(await identity()).toBe(`the identity provider ${issuer} cannot be asked who it is (ECONNREFUSED)`);
      expect(sut.gateway.health.startup().status).toBe('ok');
      expect(sut.logged.filter(({ check }) => check === 'identity')).toHaveLength(1);
      await new Promise<void>((resolve) => provider.listen(port, '127.0.0.1', resolve));
      await until(async () => (await identity()) === undefined);
      provider.closeAllConnections();
      await new Promise((resolve) => provider.close(resolve));
      expect(await identity()).toBeUndefined();
    } finally {
      provider.close();
      await sut.stop();
    }
  });
});
