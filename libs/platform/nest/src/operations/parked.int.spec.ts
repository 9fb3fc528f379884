import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError, typesOf, type ParkedKeyPage } from '@centralita/contracts';
import { createMemoryLog, OnEvents, type EventBatch, type MemoryLog } from '@centralita/event-log';
import { EventStore, type Tx } from '@centralita/event-store';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { Controller, Module } from '@nestjs/common';
import { z } from 'zod';
import { fixtureMigrations, FixtureController } from '../testing/fixture.spec.js';
import { startTestService, type TestActor, type TestService } from '../testing/index.js';

const bug: { active: boolean } = { active: true };

@Controller()
class HandlerController {
  @OnEvents('operations.events.v1', {
    handles: ['projection.rebuilt.v1'],
    ignores: typesOf('operations.events.v1').filter((type) => type !== 'projection.rebuilt.v1'),
  })
  async count(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    for (const { event } of batch.events) {
      if (bug.active && (event.data as { projection: string }).projection === 'poison')
        throw new PlatformError('ERASED', 'Canary Customer cannot be applied');
      await tx.execute('insert into note (tenant_id, id, text) values ($1, $2, $3)', [batch.tenantId, event.id, 'seen']);
    }
  }
}

@Module({ controllers: [FixtureController, HandlerController] })
class HandlerModule {}

describe('operating parked keys over HTTP', () => {
  let database: TestDatabase;
  let log: MemoryLog;
  let sut: TestService<unknown>;
  const tenantId = randomUUID();
  const operator: TestActor = { tenantId, roles: ['platform'], id: randomUUID(), scope: 'operations' };
  const path = '/v1/operations/parked';

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'nest' });
    log = createMemoryLog();
    sut = await startTestService({
      service: 'conversation',
      schema: z.object({}),
      migrations: fixtureMigrations,
      module: () => HandlerModule,
      relayTopics: [],
      consumerGroup: 'conversation',
      customerData: false,
      database,
      log,
    });
  });
  afterAll(async () => {
    await sut.close();
    await log.close();
    await database.drop();
  });

  /** Announces projections under one key, in order. */
  const announce = async (tenant: string, key: string, ...projections: string[]): Promise<string[]> => {
    const appended = await sut.deps.db.withTenant(tenant, (tx) =>
      new EventStore({ service: 'conversation' }).append(
        tx,
        'operations.events.v1',
        projections.map((projection) => ({
          key,
          streamId: key,
          expectedVersion: 'any' as const,
          type: 'projection.rebuilt.v1' as const,
          data: { service: 'conversation' as const, projection, rows: '1', at: new Date().toISOString() },
        })),
      ),
    );
    return appended.map(({ id }) => id);
  };
  const list = async (actor = operator, query = ''): Promise<ParkedKeyPage> =>
    (await sut.call<ParkedKeyPage>(actor, 'GET', `${path}${query}`)).body;
  const seen = async (id: string | undefined): Promise<number> =>
    (await sut.call({ tenantId, roles: ['platform'] }, 'GET', `/v1/notes/${id}`)).status;

  it('lists, retries and skips, and each decision is an event that names who took it', async () => {
    // given: a poison record, one behind it, and another customer's key that goes on meanwhile
    const [key, other] = [randomUUID(), randomUUID()];
    const [poison, behind] = await announce(tenantId, key, 'poison', 'behind');
    const [free] = await announce(tenantId, other, 'free');
    const page = await until(async () => {
      const found = await list();
      return found.items[0]?.records === 2 ? found : null;
    });
    await until(async () => (await seen(free)) === 200);
    expect(page).toEqual({
      items: [
        {
          key,
          group: 'conversation',
          code: 'ERASED',
          since: expect.any(String),
          records: 2,
          topics: [{ topic: 'operations.events.v1', records: 2 }],
          first: { topic: 'operations.events.v1', partition: expect.any(Number), offset: expect.any(String), eventId: poison },
        },
      ],
      nextCursor: null,
    });
    expect(await list(operator, `?key=${randomUUID()}`)).toEqual({ items: [], nextCursor: null });

    // when it is retried and nothing has been mended
    const again = await sut.call(operator, 'POST', `${path}/${key}/retry`);
    expect([again.status, again.body]).toEqual([200, { key, group: 'conversation', applied: 0, blocked: 'ERASED' }]);
    expect(again.text).not.toContain('Canary');
    const { topic, partition, offset } = page.items[0]?.first ?? {};
    const record = { topic, partition, offset };
    const wrong = await sut.call(operator, 'POST', `${path}/${key}/skip`, { body: { record: { ...record, offset: '999' } } });
    expect([wrong.status, wrong.body.code]).toEqual([412, 'VERSION_CONFLICT']);
    const skipped = await sut.call(operator, 'POST', `${path}/${key}/skip`, { body: { record } });
    expect([skipped.status, skipped.body]).toEqual([200, { key, group: 'conversation', applied: 1, blocked: null }]);
    expect([await seen(poison), await seen(behind)]).toEqual([404, 200]);
    expect(await list()).toEqual({ items: [], nextCursor: null });
    expect((await sut.call(operator, 'POST', `${path}/${key}/retry`)).status).toBe(404);

    // and what is mended is applied by a retry
    const [mended] = await announce(tenantId, other, 'poison');
    await until(async () => (await list()).items.length === 1);
    bug.active = false;
    expect((await sut.call(operator, 'POST', `${path}/${other}/retry`)).body).toMatchObject({ applied: 1, blocked: null });
    expect(await seen(mended)).toBe(200);
    bug.active = true;

    const recorded = await until(() => {
      const events = log
        .records('operations.events.v1')
        .map(({ value }) => JSON.parse(value?.toString() ?? '') as { type: string; data: Record<string, unknown> })
        .filter(({ type }) => type.startsWith('record.'));
      return events.length === 4 ? events : null;
    });
    expect(recorded.map(({ type, data }) => [type, data['recordKey'], data['actorId']]).sort()).toEqual(
      [
        ['record.parked.v1', key, undefined],
        ['record.parked.v1', other, undefined],
        ['record.skipped.v1', key, operator.id],
        ['record.retried.v1', other, operator.id],
      ].sort(),
    );
  });

  it('is for operators of the tenant with a token for it, and for nobody else', async () => {
    const key = randomUUID();
    await announce(tenantId, key, 'poison');
    await until(async () => (await list()).items.length === 1);
    const stranger: TestActor = { ...operator, tenantId: randomUUID() };
    expect(await list(stranger)).toEqual({ items: [], nextCursor: null });
    expect((await sut.call(stranger, 'POST', `${path}/${key}/retry`)).status).toBe(404);
    const { scope: _, ...session } = operator;
    for (const actor of [session, { ...operator, roles: ['agent', 'supervisor', 'compliance', 'billing'] } as TestActor])
      for (const [method, at] of [
        ['GET', path],
        ['POST', `${path}/${key}/retry`],
        ['POST', `${path}/${key}/skip`],
      ] as const) {
        const refused = await sut.call(actor, method, at);
        expect([method, at, refused.status, refused.body.code]).toEqual([method, at, 403, 'FORBIDDEN']);
      }
    expect((await fetch(`${sut.url}${path}`)).status).toBe(401);
    // and the token opens nothing else
    expect((await sut.call({ ...operator, roles: ['agent'] }, 'GET', `/v1/notes/${randomUUID()}`)).status).toBe(403);
    expect((await sut.call(operator, 'GET', `${path}?cursor=x`)).status).toBe(400);
    expect((await sut.call(operator, 'POST', `${path}/no key at all/retry`)).status).toBe(404);
    expect(await (await fetch(`${sut.url}/openapi.json`)).text()).not.toContain('/operations/');
  });
});
