import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { ownPage, startHarness, type Harness } from '../testing/gateway-harness.spec.js';
import type { TestBrowser } from '../testing/identity.spec.js';
import { ownerOfSegment } from './services.js';

describe('the public API', () => {
  let sut: Harness;
  let agent: TestBrowser;
  const actorId = randomUUID();
  beforeAll(async () => {
    sut = await startHarness();
    agent = await sut.signIn({ sub: actorId, roles: ['agent'] });
  });
  afterAll(() => sut.stop());
  beforeEach(() => {
    for (const upstream of Object.values(sut.upstreams)) {
      upstream.seen.length = 0;
      upstream.answer = () => ({ body: '{}' });
    }
  });

  const call = (path: string, init: RequestInit = {}, browser = agent): Promise<Response> =>
    browser.request(`${sut.url}${path}`, { ...init, headers: { ...ownPage, ...init.headers } });
  const codeOf = async (response: Response): Promise<[number, string]> => [
    response.status,
    Problem.parse(await response.json()).code,
  ];
  const seen = (): number => Object.values(sut.upstreams).reduce((count, upstream) => count + upstream.seen.length, 0);

  it('passes what an API call needs, and nothing else, in both directions', async () => {
    const { conversation } = sut.upstreams;
    conversation.answer = () => ({
      status: 202,
      headers: {
        etag: '"v2"',
        'x-causal-token': 'token-2',
        'x-powered-by': 'secret',
        'set-cookie': 'a=b',
        server: 'x',
        'cache-control': 'public',
      },
      body: '{"id":"1"}',
    });
    const body = JSON.stringify({ kind: 'text', text: 'Buenos días ☀' });
    const answer = await call(`/api/v1/conversations/${actorId}/replies?a=1&a=2&b=%C3%B1`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'key-12345678',
        'if-match': '"v1"',
        'x-causal-token': 'token-1',
        authorization: 'Bearer mine',
        'x-access-record': 'mine',
        'x-forwarded-for': '203.0.113.9',
        'x-tenant': 'other',
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      },
    });
    expect([answer.status, await answer.text()]).toEqual([202, '{"id":"1"}']);
    expect([answer.headers.get('etag'), answer.headers.get('x-causal-token'), answer.headers.get('cache-control')]).toEqual([
      '"v2"',
      'token-2',
      'no-store',
    ]);
    for (const name of ['x-powered-by', 'set-cookie', 'server']) expect(answer.headers.get(name)).toBeNull();

    const [request, ...more] = conversation.seen;
    expect(more).toEqual([]);
    expect([request?.method, request?.url, request?.body]).toEqual([
      'POST',
      `/v1/conversations/${actorId}/replies?a=1&a=2&b=%C3%B1`,
      body,
    ]);
    expect(request?.headers).toMatchObject({
      'idempotency-key': 'key-12345678',
      'if-match': '"v1"',
      'x-causal-token': 'token-1',
      'content-type': 'application/json',
    });
    for (const name of ['cookie', 'x-access-record', 'x-forwarded-for', 'x-tenant', 'x-centralita'])
      expect(request?.headers[name]).toBeUndefined();

    const jwks = createRemoteJWKSet(new URL(`${sut.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(request?.headers.authorization?.replace('Bearer ', '') ?? '', jwks, {
      audience: 'conversation',
    });
    expect(protectedHeader.alg).toBe('EdDSA');
    expect(payload).toMatchObject({
      iss: 'centralita-gateway',
      sub: actorId,
      tenant: sut.tenants[0]?.tenantId,
      roles: ['agent'],
      ip: '127.0.0.1',
      ua: 'Firefox/140.0',
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  });

  it('writes the id of each disclosure to its log, and passes it on', async () => {
    const accessRecord = randomUUID();
    sut.upstreams.conversation.answer = () => ({
      headers: { 'x-access-record': accessRecord },
      body: '{"name":"Canary Customer"}',
    });
    const answer = await call(`/api/v1/conversations/${randomUUID()}`);
    expect(answer.headers.get('x-access-record')).toBe(accessRecord);
    expect(sut.logged.filter((line) => line.accessRecord === accessRecord)).toMatchObject([
      { level: 'info', route: '/v1/conversations/{id}' },
    ]);
    expect(JSON.stringify(sut.logged)).not.toContain('Canary');
  });

  it('finishes a look whose reader has gone, so that its record is seen', async () => {
    const accessRecord = randomUUID();
    const asked = Promise.withResolvers<undefined>();
    const gone = Promise.withResolvers<undefined>();
    sut.upstreams.conversation.answer = async () => {
      asked.resolve(undefined);
      await gone.promise;
      return { headers: { 'x-access-record': accessRecord }, body: '{}' };
    };
    const browser = new AbortController();
    const answer = call('/api/v1/inbox', { signal: browser.signal });
    await asked.promise;
    browser.abort();
    await expect(answer).rejects.toThrow();
    gone.resolve(undefined);
    await until(() => sut.logged.some((line) => line.accessRecord === accessRecord));
    expect((await call('/api/v1/templates')).status).toBe(200);
  });

  it('asks a service once: a refusal for now is passed on, not tried again', async () => {
    sut.upstreams.conversation.answer = () => ({
      status: 503,
      headers: { 'retry-after': '1', 'content-type': 'application/problem+json' },
      body: JSON.stringify({ code: 'AUDIT_UNAVAILABLE' }),
    });
    const answer = await call('/api/v1/inbox');
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([
      503,
      '1',
      'application/problem+json',
    ]);
    expect(sut.upstreams.conversation.seen).toHaveLength(1);
  });

  it('wants a session and our own page', async () => {
    expect(await codeOf(await fetch(`${sut.url}/api/v1/inbox`, { headers: ownPage }))).toEqual([401, 'UNAUTHENTICATED']);
    expect(await codeOf(await agent.request(`${sut.url}/api/v1/inbox`))).toEqual([403, 'FORBIDDEN']);
    expect(await codeOf(await agent.request(`${sut.url}/api/v1/inbox`, { headers: { 'sec-fetch-site': 'cross-site' } }))).toEqual(
      [403, 'FORBIDDEN'],
    );
    expect(
      await codeOf(
        await agent.request(`${sut.url}/api/v1/conversations/1/replies`, {
          method: 'POST',
          headers: { 'sec-fetch-site': 'same-origin' },
        }),
      ),
    ).toEqual([403, 'FORBIDDEN']);
    expect(seen()).toBe(0);
    expect((await agent.request(`${sut.url}/api/v1/templates`, { headers: { 'sec-fetch-site': 'same-origin' } })).status).toBe(
      200,
    );
  });

  it('knows only what services document under the segments that they own', async () => {
    for (const path of [
      '/api/v1/feed',
      '/api/v1/internal/denials',
      '/api/openapi',
      '/api/v1/unknown',
      '/api/v1/conversations',
      '/api/v1/inbox/',
      '/api/v1//inbox',
      '/api/v1/conversations/..%2fsecret',
      '/api/v1/conversations/a%5c..%5cb',
      '/api/v1/conversations/',
    ])
      expect([path, ...(await codeOf(await call(path)))]).toEqual([path, 404, 'NOT_FOUND']);
    expect(await codeOf(await call('/api/v1/inbox', { method: 'DELETE' }))).toEqual([404, 'NOT_FOUND']);
    // conversation documents it, billing owns it: what conversation says does not count.
    expect(await codeOf(await call('/api/v1/statements'))).toEqual([403, 'FORBIDDEN']);
    expect(seen()).toBe(0);
  });

  it('refuses a role and has the owner of customer data record it', async () => {
    const { conversation, ingest } = sut.upstreams;
    conversation.answer = ingest.answer = () => ({ status: 201, body: '{}' });
    const clerk = await sut.signIn({ sub: randomUUID(), roles: ['billing'] });
    const id = randomUUID();
    expect(await codeOf(await call(`/api/v1/media/${id}`, {}, clerk))).toEqual([403, 'FORBIDDEN']);
    expect(ingest.seen).toHaveLength(1);
    expect([ingest.seen[0]?.url, JSON.parse(ingest.seen[0]?.body ?? '')]).toEqual([
      '/v1/internal/denials',
      { action: 'media.read', resource: { type: 'media', id } },
    ]);
    const claims = JSON.parse(
      Buffer.from(ingest.seen[0]?.headers.authorization?.split('.')[1] ?? '', 'base64url').toString(),
    ) as object;
    expect(claims).toMatchObject({ scope: 'denial', aud: 'ingest', roles: ['billing'] });
    // Nothing about customers is behind this one.
    expect(await codeOf(await call('/api/v1/templates', {}, clerk))).toEqual([403, 'FORBIDDEN']);
    expect(conversation.seen).toHaveLength(0);
    conversation.answer = () => ({ status: 503 });
    expect(await codeOf(await call('/api/v1/inbox', {}, clerk))).toEqual([503, 'AUDIT_UNAVAILABLE']);
  });

  it('says when a service is down', async () => {
    await sut.upstreams.routing.stop();
    expect(await codeOf(await call('/api/v1/agents'))).toEqual([502, 'UPSTREAM_UNAVAILABLE']);
    expect((await call('/api/v1/templates')).status).toBe(200);
  });

  it('is described by one OpenAPI 3.1 document', async () => {
    const answer = await fetch(`${sut.url}/api/openapi.json`);
    const document = (await answer.json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
      components: { schemas: object };
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([
      '/api/live',
      '/api/session',
      '/api/v1/agents',
      '/api/v1/agents/{id}',
      '/api/v1/conversations/{id}',
      '/api/v1/conversations/{id}/replies',
      '/api/v1/inbox',
      '/api/v1/keys',
      '/api/v1/media/{id}',
      '/api/v1/platform/overview',
      '/api/v1/platform/parked',
      '/api/v1/platform/parked/{process}/{key}/retry',
      '/api/v1/platform/parked/{process}/{key}/skip',
      '/api/v1/statements',
      '/api/v1/templates',
      '/auth/login',
      '/auth/logout',
      '/auth/operator-token',
    ]);
    expect(document.components.schemas).toHaveProperty('Problem');
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.paths['/api/v1/statements']?.get?.operationId).toMatch(/^billing\./);
  });

  it('takes every segment of the public API from one owner', () => {
    expect(Object.keys(ownerOfSegment).length).toBeGreaterThan(20);
    expect(ownerOfSegment.feed).toBeUndefined();
    expect(ownerOfSegment.internal).toBeUndefined();
  });
});

describe('the console', () => {
  let sut: Harness;
  beforeAll(async () => {
    sut = await startHarness();
  });
  afterAll(() => sut.stop());

  it('is served with its pages, and under headers that keep strangers out', async () => {
    const get = (path: string): Promise<Response> => fetch(`${sut.url}${path}`);
    for (const path of ['/', '/inbox', '/conversations/0197b2a0-0000-7000-8000-00000000000a?tab=notes']) {
      const page = await get(path);
      expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-cache',
      ]);
      expect(await page.text()).toContain('<title>Centralita</title>');
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect([page.headers.get('x-content-type-options'), page.headers.get('referrer-policy')]).toEqual([
        'nosniff',
        'no-referrer',
      ]);
    }
    const asset = await get('/assets/app-1a2b3c.js');
    expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    for (const path of [
      '/assets/gone.js',
      '/favicon.ico',
      '/auth/other',
      '/.well-known/other',
      '/..%2f..%2fkey.pem',
      '/%2e%2e/key.pem',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    const problem = await get('/api/v1/inbox');
    expect([problem.status, problem.headers.get('content-security-policy')]).toEqual([
      403,
      expect.stringContaining("default-src 'self'"),
    ]);
  });
});
