import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError, typesOf } from '@centralita/contracts';
import { createMemoryLog, OnEvents, type EventBatch, type MemoryLog } from '@centralita/event-log';
import { causalToken, EventStore, type Tx } from '@centralita/event-store';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { Controller, Module } from '@nestjs/common';
import { z } from 'zod';
import { Endpoint, route } from '../endpoint/route.js';
import { fixtureMigrations, FixtureController } from '../testing/fixture.spec.js';
import { startTestService, type TestActor, type TestService } from '../testing/index.js';

const gate = { entered: 0, open: async (): Promise<void> => undefined };
const slow = route({
  method: 'GET',
  path: '/v1/slow',
  summary: 's',
  roles: ['agent'],
  response: z.object({ done: z.boolean() }),
});

@Controller()
class RuntimeController {
  @Endpoint(slow)
  async slow(): Promise<{ done: boolean }> {
    gate.entered += 1;
    await gate.open();
    return { done: true };
  }

  /** Writes down what arrives, in the batch's own transaction. */
  @OnEvents('operations.events.v1', {
    handles: ['projection.rebuilt.v1'],
    ignores: typesOf('operations.events.v1').filter((type) => type !== 'projection.rebuilt.v1'),
  })
  async count(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    if (failing.code) throw new PlatformError(failing.code, 'not now');
    for (const { event } of batch.events)
      await tx.execute('insert into note (tenant_id, id, text) values ($1, $2, $3)', [batch.tenantId, event.id, 'seen']);
  }
}
const failing: { code: 'DATABASE_UNAVAILABLE' | 'ERASED' | null } = { code: null };

@Module({ controllers: [FixtureController, RuntimeController] })
class RuntimeModule {}

describe('a running service', () => {
  let database: TestDatabase;
  let log: MemoryLog;
  let sut: TestService<unknown>;
  const agent: TestActor = { tenantId: randomUUID(), roles: ['agent'], id: randomUUID() };
  const start = (env: Record<string, string> = {}, migrate = true): Promise<TestService<unknown>> =>
    startTestService({
      service: 'conversation',
      schema: z.object({}),
      migrations: fixtureMigrations,
      module: () => RuntimeModule,
      relayTopics: [],
      consumerGroup: 'conversation',
      customerData: false,
      database,
      log,
      env,
      migrate,
    });

  beforeEach(async () => {
    database = await createTestDatabase({ service: 'nest' });
    log = createMemoryLog();
    sut = await start();
  });
  afterEach(async () => {
    await sut.close();
    await log.close();
    await database.drop();
  });

  const announce = async (tenantId: string): Promise<{ id: string; token: string }> => {
    const id = randomUUID();
    const [appended] = await sut.deps.db.withTenant(tenantId, (tx) =>
      new EventStore({ service: 'conversation' }).append(tx, 'operations.events.v1', [
        {
          key: id,
          streamId: id,
          expectedVersion: 0,
          type: 'projection.rebuilt.v1',
          data: { service: 'conversation', projection: 'x', rows: '1', at: new Date().toISOString() },
        },
      ]),
    );
    return { id: appended?.id ?? '', token: causalToken.encode('operations.events.v1', id, appended?.keyVersion ?? 0n) };
  };

  it('consumes what it publishes, and says so in its metrics and its readiness', async () => {
    const { id } = await announce(agent.tenantId);
    await until(async () => (await sut.call(agent, 'GET', `/v1/notes/${id}`)).status === 200);
    expect((await sut.call({ ...agent, tenantId: randomUUID() }, 'GET', `/v1/notes/${id}`)).status).toBe(404);
    // The group is measured every few seconds: this is the first look after its partitions were given.
    await until(async () => (await sut.metrics.consumerLag.get()).values.length > 0);
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${sut.operationsPort}${path}`);
      return [response.status, await response.text()];
    };
    for (const path of ['/health/live', '/health/ready', '/health/startup'])
      expect(await get(path)).toEqual([200, '{"status":"ok","failing":{}}']);
    expect((await get('/other'))[0]).toBe(404);
    const [, metrics] = await get('/metrics');
    const lines = metrics.split('\n');
    const has = (name: string, ...labels: string[]): boolean =>
      lines.some(
        (line) => line.startsWith(`${name}{`) && ['service="conversation"', ...labels].every((label) => line.includes(label)),
      );
    const topic = 'topic="operations.events.v1"';
    expect(has('http_requests_total', 'method="GET"', 'route="/v1/notes/:id"', 'status="200"')).toBe(true);
    expect(has('http_request_seconds_count', 'route="/v1/notes/:id"')).toBe(true);
    expect(has('handler_seconds_count', topic)).toBe(true);
    expect(has('kafka_consumer_lag', 'group="conversation"', topic, 'partition="')).toBe(true);
    for (const name of ['outbox_depth', 'outbox_oldest_age_seconds', 'build_info', 'event_loop_delay_p99_seconds', 'pool_used'])
      expect([name, has(name)]).toEqual([name, true]);
    for (const name of [
      'parked_records',
      'parked_oldest_age_seconds',
      'consumer_last_commit_age_seconds',
      'projection_lag_events',
      'projection_lag_seconds',
    ])
      expect([name, has(name, 'group="conversation"')]).toEqual([name, true]);
    expect(lines).toContain('replay_progress{group="conversation",service="conversation"} 1');
    expect(metrics).not.toContain(id);
  });

  it('keeps the code of a failing handler: passing trouble is tried again, nothing is lost', async () => {
    failing.code = 'DATABASE_UNAVAILABLE';
    const { id } = await announce(agent.tenantId);
    await until(async () => (await sut.metrics.retries.get()).values.some(({ value }) => value > 0));
    expect((await sut.call(agent, 'GET', `/v1/notes/${id}`)).status).toBe(404);
    failing.code = null;
    await until(async () => (await sut.call(agent, 'GET', `/v1/notes/${id}`)).status === 200);
  });

  it('lets an operator have parked records applied by a process that has not seen their topic', async () => {
    failing.code = 'ERASED';
    const { id } = await announce(agent.tenantId);
    await until(async () => ((await sut.parked?.list()) ?? []).length === 1);
    // given: another process, whose group is at the end of the log
    await sut.close();
    failing.code = null;
    sut = await start({}, false);
    const [key] = (await sut.parked?.list()) ?? [];
    expect(key?.code).toBe('ERASED');
    const operator = { actorId: randomUUID(), tenantId: agent.tenantId };
    expect(await sut.parked?.retry(key?.key ?? '', operator)).toEqual({ applied: 1, blocked: null });
    expect((await sut.call(agent, 'GET', `/v1/notes/${id}`)).status).toBe(200);
    const record = { topic: 'operations.events.v1', partition: 0, offset: 0n };
    await expect(sut.parked?.skip(key?.key ?? '', record, operator)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('waits for the cause that a request names', async () => {
    const first = await announce(agent.tenantId);
    await until(async () => (await sut.call(agent, 'GET', `/v1/notes/${first.id}`)).status === 200);
    const { id, token } = await announce(agent.tenantId);
    expect((await sut.call(agent, 'GET', `/v1/notes/${id}`, { headers: { 'x-causal-token': token } })).status).not.toBe(409);
    const future = causalToken.encode('operations.events.v1', randomUUID(), 9n);
    const answer = await sut.call(agent, 'GET', `/v1/notes/${id}`, { headers: { 'x-causal-token': future } });
    expect([answer.status, answer.body.code, answer.body.retryable]).toEqual([409, 'CAUSE_NOT_SEEN', true]);
    expect((await sut.call(agent, 'GET', `/v1/notes/${id}`, { headers: { 'x-causal-token': 'x' } })).status).toBe(400);
  });

  it('shows nothing when what it commits does not reach the log any more', async () => {
    await sut.close();
    sut = await start({ AUDIT_MAX_OUTBOX_AGE_SECONDS: '1' }, false);
    const path = '/v1/rows?subjects=';
    expect((await sut.call(agent, 'GET', path)).status).toBe(200);
    log.failAppends('LOG_UNAVAILABLE', 10_000);
    await announce(agent.tenantId);
    const answer = await until(async () => {
      const asked = await sut.call(agent, 'GET', path);
      return asked.status === 200 ? null : asked;
    });
    expect([answer.status, answer.body.code]).toEqual([503, 'AUDIT_UNAVAILABLE']);
  });

  it('drains: not ready, the request under way is answered, then the door is shut and what was committed is on the log', async () => {
    let release = (): void => undefined;
    gate.open = () => new Promise((resolve) => (release = resolve));
    gate.entered = 0;
    const underWay = sut.call(agent, 'GET', '/v1/slow');
    await until(() => gate.entered === 1);
    const { id } = await announce(agent.tenantId);
    const drained = sut.drain.drain('SIGTERM');
    const ready = await fetch(`http://127.0.0.1:${sut.operationsPort}/health/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('shutting down')]);
    await expect(fetch(`${sut.url}/openapi.json`)).rejects.toThrow();
    release();
    expect((await underWay).body).toEqual({ done: true });
    expect(await drained).toBe(true);
    expect(log.records('operations.events.v1').some((record) => record.value?.toString().includes(id))).toBe(true);
    await expect(fetch(`http://127.0.0.1:${sut.operationsPort}/health/live`)).rejects.toThrow();
  });
});
