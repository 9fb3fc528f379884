import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { personal, Problem, type FeedPage } from '@centralita/contracts';
import { createDataSource } from '@centralita/event-store';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { Controller, Get, Module } from '@nestjs/common';
import { z } from 'zod';
import { createLogger } from '../logger.js';
import { createMetrics } from '../metrics.js';
import { Health } from '../runtime/health.js';
import { Surroundings } from '../runtime/surroundings.js';
import { connectWhenMigrated, missingMigrations, runMigrations } from '../runtime/database.js';
import { fixtureMigrations, FixtureModule, probes } from '../testing/fixture.spec.js';
import { createTestIssuer, startTestService, type TestActor, type TestService } from '../testing/index.js';
import { Endpoint, route } from './route.js';

describe('endpoints', () => {
  let database: TestDatabase;
  let keyring: TestDatabase;
  let sut: TestService<unknown>;
  const agent: TestActor = { tenantId: randomUUID(), roles: ['agent'], id: randomUUID() };
  const options = { service: 'conversation', schema: z.object({}), migrations: fixtureMigrations, customerData: true } as const;

  beforeAll(async () => {
    [database, keyring] = await Promise.all([
      createTestDatabase({ service: 'nest' }),
      createTestDatabase({ service: 'keyring' }),
    ]);
    sut = await startTestService({
      ...options,
      module: () => FixtureModule,
      relayTopics: [],
      feedTopic: 'operations.events.v1',
      database,
      keyring,
    });
  });
  afterAll(async () => {
    await sut.close();
    await Promise.all([database.drop(), keyring.drop()]);
  });

  const isProblem = (answer: { status: number; headers: Headers; body: unknown }, status: number, code: string): void => {
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(Problem.parse(answer.body)).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
  };

  describe('commands', () => {
    it('gives a repeated idempotency key the first result, once, and refuses it for another request', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      probes.runs = 0;
      const first = await sut.call(agent, 'POST', '/v1/notes', { body: { text: 'hello' }, headers });
      const again = await sut.call(agent, 'POST', '/v1/notes', { body: { text: 'hello' }, headers });
      expect([first.status, again.status, probes.runs]).toEqual([202, 202, 1]);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('x-causal-token')).toBe(first.headers.get('x-causal-token'));
      isProblem(await sut.call(agent, 'POST', '/v1/notes', { body: { text: 'other' }, headers }), 422, 'IDEMPOTENCY_MISMATCH');
      isProblem(
        await sut.call({ ...agent, id: randomUUID() }, 'POST', '/v1/notes', { body: { text: 'hello' }, headers }),
        422,
        'IDEMPOTENCY_MISMATCH',
      );
    });

    it('runs concurrent repetitions once', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      probes.runs = 0;
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => sut.call(agent, 'POST', '/v1/notes', { body: { text: 'once' }, headers })),
      );
      expect([new Set(answers.map((answer) => answer.text)).size, probes.runs]).toEqual([1, 1]);
    });

    it('asks for the key and the version, and names the fields that are wrong without repeating them', async () => {
      const bare = await sut.call(agent, 'POST', '/v1/notes', {
        body: { text: 'Canary Customer much too long' },
        headers: { 'idempotency-key': null },
      });
      isProblem(bare, 400, 'VALIDATION_FAILED');
      expect((bare.body.errors as { path: string }[]).map(({ path }) => path)).toEqual(['body.text', 'headers.idempotency-key']);
      expect(bare.text).not.toContain('Canary');
      const path = `/v1/notes/${randomUUID()}`;
      const body = { text: 'x' };
      isProblem(await sut.call(agent, 'PUT', path, { body }), 428, 'PRECONDITION_REQUIRED');
      isProblem(await sut.call(agent, 'PUT', path, { body, headers: { 'if-match': '"0"' } }), 412, 'VERSION_CONFLICT');
      expect((await sut.call(agent, 'PUT', path, { body, headers: { 'if-match': '"1"' } })).status).toBe(200);
    });
  });

  describe('tenancy', () => {
    it('answers the same 404 for an unknown id, an id of another tenant and an id that is none', async () => {
      const written = await sut.call(agent, 'POST', '/v1/notes', { body: { text: 'mine' } });
      const path = `/v1/notes/${String(written.body.id)}`;
      expect((await sut.call(agent, 'GET', path)).body).toEqual({ text: 'mine' });
      const without = ({ body }: { body: Record<string, unknown> }): unknown => ({ ...body, instance: '' });
      const unknown = await sut.call(agent, 'GET', `/v1/notes/${randomUUID()}`);
      const foreign = await sut.call({ ...agent, tenantId: randomUUID() }, 'GET', path);
      const none = await sut.call(agent, 'GET', '/v1/notes/1');
      for (const answer of [unknown, foreign, none]) isProblem(answer, 404, 'NOT_FOUND');
      expect([without(foreign), without(none)]).toEqual([without(unknown), without(unknown)]);
    });
  });

  describe('callers', () => {
    it('refuses whoever has no token, a token for another service, an old one, or one of somebody else', async () => {
      const issuer = await createTestIssuer();
      const get = (authorization?: string): Promise<Response> =>
        fetch(`${sut.url}/v1/notes/${randomUUID()}`, authorization ? { headers: { authorization } } : {});
      const own = await sut.token(agent);
      const claims = own.split('.')[1] as string;
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
      const foreign = await issuer.sign('conversation', agent);
      for (const token of [undefined, 'Bearer x', `Bearer ${foreign}`, `Bearer ${unsigned}`, `Bearer ${own.slice(0, -4)}AAAA`])
        expect((await get(token)).status).toBe(401);
      expect((await get(`Bearer ${own}`)).status).toBe(404);
      // The same key, but another audience or a time that has passed.
      const shared = await startTestService({
        ...options,
        service: 'routing',
        module: () => FixtureModule,
        database,
        keyring,
        migrate: false,
      });
      try {
        expect(
          (await fetch(`${shared.url}/v1/notes/${randomUUID()}`, { headers: { authorization: `Bearer ${own}` } })).status,
        ).toBe(401);
      } finally {
        await shared.close();
      }
    });

    it('denies by default: a role that the route does not name', async () => {
      isProblem(
        await sut.call({ ...agent, roles: ['compliance', 'billing'] }, 'GET', `/v1/notes/${randomUUID()}`),
        403,
        'FORBIDDEN',
      );
      isProblem(await sut.call({ ...agent, roles: [] }, 'GET', `/v1/notes/${randomUUID()}`), 403, 'FORBIDDEN');
    });
  });

  describe('problems', () => {
    it('are what every failure is, and tell nothing of ours', async () => {
      isProblem(await sut.call(agent, 'GET', '/v1/nothing'), 404, 'NOT_FOUND');
      isProblem(await sut.call(agent, 'GET', '/v1/wrong'), 500, 'INTERNAL');
      expect((await sut.call(agent, 'GET', '/v1/wrong')).text).not.toMatch(/Canary|count|wrong/);
      const authorization = `Bearer ${await sut.token(agent)}`;
      const post = async (body: string, type = 'application/json') => {
        const response = await fetch(`${sut.url}/v1/notes`, {
          method: 'POST',
          body,
          headers: { authorization, 'content-type': type, 'idempotency-key': randomUUID() },
        });
        return { status: response.status, headers: response.headers, body: await response.json() };
      };
      isProblem(await post('{"text":'), 400, 'VALIDATION_FAILED');
      isProblem(await post('{"__proto__":{"x":1},"text":"a"}'), 400, 'VALIDATION_FAILED');
      isProblem(await post('<text/>', 'application/xml'), 400, 'VALIDATION_FAILED');
      isProblem(await post(JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) })), 413, 'PAYLOAD_TOO_LARGE');
      expect((await fetch(`${sut.url}/v1/notes/${randomUUID()}`, { method: 'HEAD', headers: { authorization } })).status).toBe(
        404,
      );
    });
  });

  describe('the API document', () => {
    it('is OpenAPI 3.1 from the routes, without internal ones', async () => {
      const document = (await (await fetch(`${sut.url}/openapi.json`)).json()) as {
        openapi: string;
        paths: Record<string, Record<string, Record<string, unknown>>>;
      };
      expect(document.openapi).toBe('3.1.0');
      expect(Object.keys(document.paths)).toEqual([
        '/v1/bytes/{id}',
        '/v1/feed',
        '/v1/notes',
        '/v1/notes/{id}',
        '/v1/rows',
        '/v1/rows/{id}',
        '/v1/wrong',
      ]);
      const read = document.paths['/v1/rows/{id}']?.get;
      expect(read).toMatchObject({ 'x-roles': ['agent', 'compliance'], 'x-audited': { action: 'row.read', resource: 'row' } });
      const change = document.paths['/v1/notes/{id}']?.put as { parameters: { name: string; in: string; required: boolean }[] };
      expect(change.parameters.map((parameter) => [parameter.in, parameter.name, parameter.required])).toEqual([
        ['path', 'id', true],
        ['header', 'idempotency-key', true],
        ['header', 'if-match', true],
        ['header', 'x-causal-token', false],
      ]);
      expect(document.paths['/v1/notes']?.post).toMatchObject({
        requestBody: { content: { 'application/json': { schema: { type: 'object', required: ['text'] } } } },
        responses: { '202': { content: { 'application/json': { schema: { type: 'object' } } } } },
      });
    });
  });

  describe('the feed', () => {
    it('begins at now, waits for what comes, and tells it once, to its tenant only', async () => {
      const start = await sut.call<FeedPage>(agent, 'GET', '/v1/feed');
      expect(start.body.items).toEqual([]);
      const other: TestActor = { tenantId: randomUUID(), roles: ['agent'] };
      const foreign = await sut.call<FeedPage>(other, 'GET', '/v1/feed');
      const waiting = Promise.all(
        [1, 2, 3].map(() => sut.call<FeedPage>(agent, 'GET', `/v1/feed?wait=20&cursor=${start.body.cursor}`)),
      );
      const written = await sut.call(agent, 'POST', '/v1/notes', { body: { text: 'feed' } });
      for (const page of await waiting)
        expect(page.body.items).toMatchObject([{ streamId: written.body.id, type: 'projection.rebuilt.v1', version: '1' }]);
      const [page] = await waiting;
      expect((await sut.call<FeedPage>(agent, 'GET', `/v1/feed?cursor=${page?.body.cursor}`)).body.items).toEqual([]);
      expect((await sut.call<FeedPage>(other, 'GET', `/v1/feed?cursor=${foreign.body.cursor}`)).body.items).toEqual([]);
      isProblem(await sut.call(agent, 'GET', '/v1/feed?cursor=x'), 400, 'VALIDATION_FAILED');
    });
  });

  describe('start', () => {
    const start = async (module: new () => object): Promise<string> => {
      const starting = startTestService({ ...options, module: () => module, database, keyring, migrate: false });
      const failure = await starting.then(
        async (service) => {
          await service.close();
          return null;
        },
        (error: Error) => error.message,
      );
      if (failure === null) throw new Error('it started');
      return failure;
    };

    it('fails when a route shows customer data and has no recorder', async () => {
      const leak = route({
        method: 'GET',
        path: '/v1/leak',
        summary: 's',
        roles: ['agent'],
        response: z.object({ rows: z.array(z.object({ name: personal(z.string()) })) }),
      });
      @Controller()
      class Leaks {
        @Endpoint(leak)
        async leak(): Promise<{ rows: { name: string }[] }> {
          return { rows: [] };
        }
      }
      @Module({ controllers: [Leaks] })
      class LeakModule {}
      expect(await start(LeakModule)).toContain('GET /v1/leak: shows customer data (rows.[].name) and is not audited');
    });

    it('fails when a handler names no roles', async () => {
      const nobody = route({ method: 'GET', path: '/v1/nobody', summary: 's', roles: [], response: z.object({}) });
      @Controller()
      class Bare {
        @Get('/v1/bare')
        bare(): string {
          return 'x';
        }
        @Endpoint(nobody)
        async nobody(): Promise<Record<string, never>> {
          return {};
        }
      }
      @Module({ controllers: [Bare] })
      class BareModule {}
      const message = await start(BareModule);
      expect(message).toContain('Bare.bare: is neither an @Endpoint with roles nor an @OpenRoute');
      expect(message).toContain('GET /v1/nobody: names no role');
    });

    it('fails with all that is wrong with its settings', async () => {
      const starting = startTestService({
        ...options,
        module: () => FixtureModule,
        database,
        migrate: false,
        env: { LOG_LEVEL: 'loud' },
      });
      await expect(starting).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        details: { names: ['KEYRING_DATABASE_URL', 'LOG_LEVEL'] },
      });
    });

    it('holds its readiness until the migrations are there', async () => {
      const empty = await createTestDatabase({ service: 'nest' });
      const logged: string[] = [];
      const logger = createLogger({ service: 'test', destination: { write: (line) => void logged.push(line) } });
      try {
        const dataSource = createDataSource({ url: empty.appUrl });
        const health = new Health();
        const metrics = createMetrics({ service: 'conversation', defaults: false });
        const surroundings = new Surroundings({ health, logger, signal: new AbortController().signal });
        const waiting = connectWhenMigrated({ dataSource, migrations: fixtureMigrations, surroundings, health, metrics });
        await until(() => logged.some((line) => line.includes('waiting')));
        await runMigrations({ url: empty.ownerUrl, migrations: fixtureMigrations });
        await waiting;
        expect(await missingMigrations(dataSource, fixtureMigrations)).toEqual([]);
        // A second migrator finds nothing to do.
        expect(await runMigrations({ url: empty.ownerUrl, migrations: fixtureMigrations })).toEqual([]);
        await dataSource.destroy();
      } finally {
        await empty.drop();
      }
    });
  });
});
