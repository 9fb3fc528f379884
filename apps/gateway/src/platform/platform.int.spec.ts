import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformOverview, PlatformParkedPage, Problem, Roles, type PlatformFigures } from '@centralita/contracts';
import { createMetrics, Health, startOperationsServer, type OperationsServer } from '@centralita/platform-nest';
import { freePort, until } from '@centralita/testing-engines';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { ownPage, startHarness, type Harness } from '../testing/gateway-harness.spec.js';
import type { TestBrowser } from '../testing/identity.spec.js';
import { documents, TestUpstream } from '../testing/upstreams.spec.js';

const key = randomUUID();
const parked = (since: string, first = { topic: 'wa.inbound.v1', partition: 3, offset: '17', eventId: null }) => ({
  ...{ key, group: 'conversation', code: 'RECORD_INVALID', since, records: 3, first },
  topics: [{ topic: 'wa.inbound.v1', records: 3 }],
});
const list = (items: unknown[], nextCursor: string | null = null) => ({ body: JSON.stringify({ items, nextCursor }) });

describe('the platform page’s API', () => {
  let sut: Harness;
  let plain: Harness;
  let platform: TestBrowser;
  let conversation: OperationsServer;
  let silent: Server;
  const health = new Health();
  const metrics = createMetrics({ service: 'conversation', version: '9.9.9' });
  const sender = new TestUpstream(documents.ingest);
  const cleanups: (() => Promise<unknown>)[] = [];
  const actor = { sub: randomUUID(), roles: ['agent', 'platform'] as const };

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'platform-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    health.started();
    health.add('database', () => 'no answer');
    conversation = await startOperationsServer({ port: 0, host: '127.0.0.1', health, metrics });
    // Takes connections and never answers, as a process that has been stopped in the middle does.
    silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const nobody = await freePort();
    const targets = join(folder, 'targets.json');
    await writeFile(
      targets,
      JSON.stringify([
        { name: 'conversation', url: `http://127.0.0.1:${conversation.port}` },
        { name: 'routing/1', url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` },
        { name: 'ingest-sender', url: `http://127.0.0.1:${nobody}/`, api: await sender.start() },
      ]),
    );
    [sut, plain] = [await startHarness({ PLATFORM_TARGETS_FILE: targets }), await startHarness()];
    platform = await sut.signIn(actor);
  });
  afterAll(async () => {
    await sut.stop();
    await plain.stop();
    await conversation.close();
    silent.closeAllConnections();
    silent.close();
    await sender.stop();
    for (const cleanup of cleanups) await cleanup();
  });
  beforeEach(() => {
    for (const upstream of [sender, ...Object.values(sut.upstreams)]) {
      upstream.seen.length = 0;
      upstream.answer = () => list([]);
    }
  });

  const call = (path: string, init: RequestInit = {}, browser = platform, at = sut): Promise<Response> =>
    browser.request(`${at.url}/api/v1/platform${path}`, { ...init, headers: { ...ownPage, ...init.headers } });
  const codeOf = async (response: Response): Promise<[number, string]> => [
    response.status,
    Problem.parse(await response.json()).code,
  ];
  const figures = async (): Promise<PlatformFigures> => {
    const overview = PlatformOverview.parse(await (await call('/overview')).json());
    if (!overview.configured) throw new Error('not configured');
    return overview;
  };
  const post = (path: string, body?: unknown, browser = platform): Promise<Response> =>
    call(
      path,
      {
        method: 'POST',
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      },
      browser,
    );
  const record = { topic: 'wa.inbound.v1', partition: 3, offset: '17' };
  const everything = [
    ['GET', '/overview'],
    ['GET', '/parked'],
    ['POST', `/parked/conversation/${key}/retry`],
    ['POST', `/parked/conversation/${key}/skip`],
  ] as const;

  it('is for the platform team, from our own page, and for nobody else', async () => {
    for (const roles of Roles.filter((role) => role !== 'platform').map((role) => [role])) {
      const other = await sut.signIn({ sub: randomUUID(), roles });
      for (const [method, path] of everything)
        expect([roles, path, ...(await codeOf(await call(path, { method }, other)))]).toEqual([roles, path, 403, 'FORBIDDEN']);
    }
    for (const [method, path] of everything) {
      expect((await fetch(`${sut.url}/api/v1/platform${path}`, { method, headers: ownPage })).status).toBe(401);
      const elsewhere = await platform.request(`${sut.url}/api/v1/platform${path}`, { method });
      expect(await codeOf(elsewhere)).toEqual([403, 'FORBIDDEN']);
    }
    expect(await codeOf(await call('/other'))).toEqual([404, 'NOT_FOUND']);
    expect(await codeOf(await call('/overview', { method: 'DELETE' }))).toEqual([404, 'NOT_FOUND']);
    expect(Object.values(sut.upstreams).flatMap(({ seen }) => seen)).toEqual([]);
  });

  it('says which setting switches the figures on where there are none', async () => {
    const browser = await plain.signIn(actor);
    expect(await (await call('/overview', {}, browser, plain)).json()).toEqual({
      configured: false,
      setting: 'PLATFORM_TARGETS_FILE',
    });
  });

  it('shows who is ready, who is not and why, and who does not answer', async () => {
    const found = await until(async () => {
      const now = await figures();
      return now.processes.every(({ state }) => state !== 'ready') && now.sampledAt !== null ? now : null;
    });
    expect(
      found.processes.map(({ process, instance, state, failing, problem, version }) => [
        process,
        instance,
        state,
        failing,
        problem,
        version,
      ]),
    ).toEqual([
      ['conversation', null, 'not_ready', [{ check: 'database', reason: 'no answer' }], null, '9.9.9'],
      ['routing', '1', 'down', [], 'TIMEOUT', null],
      ['ingest-sender', null, 'down', [], 'REFUSED', null],
    ]);
    const [own] = found.processes;
    expect(own?.residentBytes).toBeGreaterThan(10_000_000);
    expect(Date.parse(own?.startedAt ?? '')).toBeLessThan(Date.now());
    health.add('database', () => null);
    await until(async () => (await figures()).processes[0]?.state === 'ready');
  });

  it('does not ask more often when more people look', async () => {
    let asked = 0;
    health.add('counted', () => {
      asked += 1;
      return null;
    });
    const before = (await figures()).sampledAt;
    await Promise.all(Array.from({ length: 50 }, () => figures()));
    await until(async () => (await figures()).sampledAt !== before);
    expect(asked).toBeLessThanOrEqual(3);
  });

  it('lists what is parked everywhere, oldest first, by tokens that open operations only', async () => {
    sut.upstreams.conversation.answer = () => list([parked('2026-11-23T10:00:00.000Z')], 'more');
    sender.answer = () => list([{ ...parked('2026-11-23T09:00:00.000Z'), group: 'ingest-sender' }]);
    sut.upstreams.billing.answer = () => ({ status: 503, body: '{}' });
    const page = PlatformParkedPage.parse(await (await call('/parked?limit=10')).json());
    expect(page.items.map(({ process, since }) => [process, since])).toEqual([
      ['ingest-sender', '2026-11-23T09:00:00.000Z'],
      ['conversation', '2026-11-23T10:00:00.000Z'],
    ]);
    expect(page.sources).toEqual([
      { process: 'conversation', state: 'ok', nextCursor: 'more' },
      { process: 'routing', state: 'ok', nextCursor: null },
      { process: 'billing', state: 'unavailable', nextCursor: null },
      { process: 'audit-log', state: 'ok', nextCursor: null },
      { process: 'ingest-media', state: 'ok', nextCursor: null },
      { process: 'ingest-sender', state: 'ok', nextCursor: null },
    ]);
    const keys = createRemoteJWKSet(new URL(`${sut.url}/.well-known/jwks.json`));
    for (const [service, upstream] of [...Object.entries(sut.upstreams), ['ingest', sender] as const]) {
      const [asked] = upstream.seen;
      expect(asked?.url).toBe('/v1/operations/parked?limit=10');
      const { payload } = await jwtVerify(asked?.headers.authorization?.replace('Bearer ', '') ?? '', keys, {
        audience: service,
      });
      expect(payload).toMatchObject({
        sub: actor.sub,
        scope: 'operations',
        roles: ['platform'],
        tenant: sut.tenants[0]?.tenantId,
      });
    }

    // and what follows is asked of the one process alone
    sut.upstreams.conversation.seen.length = 0;
    const next = PlatformParkedPage.parse(await (await call('/parked?process=conversation&cursor=more')).json());
    expect(next.sources.map(({ process }) => process)).toEqual(['conversation']);
    expect(sut.upstreams.conversation.seen.map(({ url }) => url)).toEqual(['/v1/operations/parked?limit=50&cursor=more']);
  });

  it('says which address it does not know', async () => {
    const browser = await plain.signIn(actor);
    for (const upstream of Object.values(plain.upstreams)) upstream.answer = () => list([]);
    const page = PlatformParkedPage.parse(await (await call('/parked', {}, browser, plain)).json());
    expect(page.sources.at(-1)).toEqual({ process: 'ingest-sender', state: 'no_address', nextCursor: null });
    const refused = await call(`/parked/ingest-sender/${key}/retry`, { method: 'POST' }, browser, plain);
    expect(await codeOf(refused)).toEqual([404, 'NOT_FOUND']);
  });

  it('passes a retry and a skip on once, and what the service answers back', async () => {
    const outcome = { key, group: 'conversation', applied: 2, blocked: null };
    sut.upstreams.conversation.answer = () => ({ body: JSON.stringify(outcome) });
    const retried = await post(`/parked/conversation/${key}/retry`);
    expect([retried.status, await retried.json()]).toEqual([200, outcome]);
    const skipped = await post(`/parked/conversation/wa.inbound.v1~3~17/skip`, { record, more: 'is left out' });
    expect(skipped.status).toBe(200);
    expect(sut.upstreams.conversation.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', `/v1/operations/parked/${key}/retry`, ''],
      ['POST', '/v1/operations/parked/wa.inbound.v1~3~17/skip', JSON.stringify({ record })],
    ]);
    const said = sut.logged.filter(({ msg }) => msg === 'operation passed on');
    expect(said.map(({ decision, actor: who, status }) => [decision, who, status])).toEqual([
      ['retry', actor.sub, 200],
      ['skip', actor.sub, 200],
    ]);

    const refusal = { type: 't', title: 't', status: 412, code: 'VERSION_CONFLICT', detail: 'd', retryable: false };
    sut.upstreams.conversation.answer = () => ({
      status: 412,
      headers: { 'content-type': 'application/problem+json' },
      body: JSON.stringify(refusal),
    });
    const late = await post(`/parked/conversation/${key}/skip`, { record });
    expect(late.headers.get('content-type')).toContain('application/problem+json');
    expect(await codeOf(late)).toEqual([412, 'VERSION_CONFLICT']);
  });

  it.each([
    ['no body', `/parked/conversation/${key}/skip`, undefined],
    ['no record', `/parked/conversation/${key}/skip`, {}],
    ['another process', `/parked/gateway/${key}/skip`, { record }],
    ['a key that is none', '/parked/conversation/..%2F..%2Finbox/skip', { record }],
    ['a process that is a path', `/parked/%2e%2e/${key}/retry`, undefined],
  ])('refuses %s, and asks nobody', async (_what, path, body) => {
    const response = await post(path, body);
    expect([400, 404]).toContain(response.status);
    expect(sut.upstreams.conversation.seen).toEqual([]);
  });

  it('stands in the public document, for the platform role', async () => {
    const { paths } = (await (await fetch(`${sut.url}/api/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { 'x-roles'?: string[] }>>;
    };
    const own = Object.entries(paths).filter(([path]) => path.startsWith('/api/v1/platform'));
    expect(own.map(([path]) => path)).toEqual([
      '/api/v1/platform/overview',
      '/api/v1/platform/parked',
      '/api/v1/platform/parked/{process}/{key}/retry',
      '/api/v1/platform/parked/{process}/{key}/skip',
    ]);
    for (const [, methods] of own)
      for (const operation of Object.values(methods)) expect(operation['x-roles']).toEqual(['platform']);
  });
});
