import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AccessRecord } from '@centralita/contracts';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { Client } from 'pg';
import { z } from 'zod';
import { fixtureMigrations, FixtureModule, probes } from '../testing/fixture.spec.js';
import { startTestService, type TestActor, type TestService } from '../testing/index.js';
import { manifestOf } from './merkle.js';

type Stored = { event_id: string; key: string; key_version: string; type: string; data: AccessRecord };

describe('access recording', () => {
  let database: TestDatabase;
  let keyring: TestDatabase;
  let sut: TestService<unknown>;
  let admin: Client;
  // Stored events are never removed, so each test has a tenant of its own.
  let tenantId: string;
  let agent: TestActor;
  const subjects = [randomUUID(), randomUUID(), randomUUID()] as const;

  const records = async (): Promise<Stored[]> =>
    (
      await admin.query<Stored>(
        `select event_id, key, key_version, type, data from events where topic = 'access.events.v1' and tenant_id = $1 order by recorded_at, key_version`,
        [tenantId],
      )
    ).rows;

  beforeAll(async () => {
    [database, keyring] = await Promise.all([
      createTestDatabase({ service: 'nest' }),
      createTestDatabase({ service: 'keyring' }),
    ]);
    sut = await startTestService({
      service: 'conversation',
      schema: z.object({}),
      migrations: fixtureMigrations,
      module: () => FixtureModule,
      relayTopics: [],
      customerData: true,
      database,
      keyring,
    });
    admin = new Client({ connectionString: database.adminUrl });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await sut.close();
    await Promise.all([database.drop(), keyring.drop()]);
  });
  beforeEach(async () => {
    probes.beforeFirstByte = async () => undefined;
    tenantId = randomUUID();
    agent = {
      tenantId,
      roles: ['agent'],
      id: randomUUID(),
      session: 'session-1',
      address: '203.0.113.7',
      userAgent: 'Firefox/140.0',
    };
    await sut.deps.keyring?.ensureSubjects(tenantId, subjects);
  });

  it('answers with the id of a record that says who saw what, why, and where it came from', async () => {
    const answer = await sut.call(agent, 'GET', `/v1/rows/${subjects[0]}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id: subjects[0], name: 'Canary Customer' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('etag')).toBe('"7"');

    const [record, ...more] = await records();
    expect(more).toEqual([]);
    expect(record?.event_id).toBe(answer.headers.get('x-access-record'));
    expect(record?.type).toBe('customer.data.accessed.v1');
    const data = AccessRecord.parse(record?.data);
    const keys = await sut.deps.keyring?.sealer(tenantId, [subjects[0]]);
    expect(data).toMatchObject({
      recordId: record?.event_id,
      service: 'conversation',
      outcome: 'disclosed',
      actor: { id: agent.id, role: 'agent', session: 'session-1' },
      action: 'row.read',
      resource: { type: 'row', id: subjects[0] },
      fields: ['display_name', 'phone'],
      resultCount: 1,
      subjects: [keys?.commitment(subjects[0])],
      manifest: null,
      reason: {
        code: 'SUBJECT_REQUEST',
        reference: 'DSAR-1',
        text: keys?.fieldCommitment(subjects[0], 'reason', 'asked by letter'),
      },
      source: { ip: await sut.deps.keyring?.tenantCommitment(tenantId, 'ip', '203.0.113.7'), userAgent: 'Firefox/140.0' },
    });
    expect(JSON.stringify(data)).not.toMatch(/Canary|203\.0\.113|letter/);
  });

  it('makes one record of a list, with the root over its subjects', async () => {
    const answer = await sut.call(agent, 'GET', `/v1/rows?subjects=${subjects.join(',')}`);
    const [record, ...more] = await records();
    expect([answer.status, more.length, record?.event_id]).toEqual([200, 0, answer.headers.get('x-access-record')]);
    expect(record?.data.subjects).toHaveLength(3);
    expect(record?.data.subjects).toEqual([...(record?.data.subjects ?? [])].sort());
    expect(record?.data.manifest).toBe(manifestOf(record?.data.subjects ?? []));
    expect(record?.data.resource).toEqual({ type: 'rows', id: 'list' });
    const empty = await sut.call(agent, 'GET', '/v1/rows?subjects=');
    const [, second] = await records();
    expect([empty.status, second?.data.resultCount, second?.data.manifest]).toEqual([200, 0, manifestOf([])]);
  });

  it('has committed the record when the first byte is asked for, also of a stream', async () => {
    let seen: Stored[] = [];
    probes.beforeFirstByte = async () => {
      seen = await records();
    };
    const answer = await sut.call(agent, 'GET', `/v1/bytes/${subjects[1]}`);
    expect([answer.status, answer.text, answer.headers.get('content-type')]).toEqual([200, 'canary bytes', 'image/png']);
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(seen.map((record) => record.event_id)).toEqual([answer.headers.get('x-access-record')]);
  });

  it('spreads over 16 gapless source lanes', async () => {
    await Promise.all(Array.from({ length: 40 }, () => sut.call(agent, 'GET', `/v1/rows/${subjects[0]}`)));
    const byLane = Map.groupBy(await records(), (record) => record.key);
    expect(byLane.size).toBe(16);
    for (const lane of byLane.values())
      expect(lane.map((record) => Number(record.key_version)).sort((a, b) => a - b)).toEqual(lane.map((_, index) => index + 1));
  });

  it('leaves erased subjects out: they show nothing and get no record', async () => {
    const erased = randomUUID();
    await sut.deps.keyring?.ensureSubjects(tenantId, [erased]);
    await sut.deps.keyring?.setState(tenantId, erased, 'closing');
    await sut.deps.keyring?.setState(tenantId, erased, 'destroyed');
    const answer = await sut.call(agent, 'GET', `/v1/rows?subjects=${subjects[0]},${erased}`);
    const [record] = await records();
    expect([answer.status, record?.data.subjects.length, record?.data.resultCount]).toEqual([200, 1, 2]);
  });

  it('withholds the answer when a subject has no key: nobody could ever say whom it showed', async () => {
    const answer = await sut.call(agent, 'GET', `/v1/rows/${randomUUID()}`);
    expect([answer.status, answer.body.code]).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect(answer.text).not.toContain('Canary');
  });

  it('withholds the answer when the record cannot be written', async () => {
    await admin.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$`,
    );
    await admin.query('create trigger refuse before insert on events for each row execute function refuse()');
    try {
      for (const path of [`/v1/rows/${subjects[0]}`, `/v1/rows?subjects=${subjects[0]}`, `/v1/bytes/${subjects[0]}`]) {
        const answer = await sut.call(agent, 'GET', path);
        expect(answer.status).toBe(503);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        expect(answer.headers.get('x-access-record')).toBeNull();
        expect(answer.body).toMatchObject({
          type: 'urn:centralita:problem:audit-unavailable',
          code: 'AUDIT_UNAVAILABLE',
          retryable: true,
        });
        expect(answer.text).not.toMatch(/canary/i);
      }
    } finally {
      await admin.query('drop function refuse cascade');
    }
    expect((await sut.call(agent, 'GET', `/v1/rows/${subjects[0]}`)).status).toBe(200);
  });

  it('records refusals: by role, and by the handler', async () => {
    const billing: TestActor = { tenantId, roles: ['billing'], id: randomUUID() };
    const byRole = await sut.call(billing, 'GET', `/v1/rows/${subjects[0]}`);
    const byHandler = await sut.call(agent, 'GET', `/v1/rows/${subjects[0]}?refuse=1`);
    expect([byRole.status, byHandler.status]).toEqual([403, 403]);
    expect([byRole.headers.get('x-access-record'), byHandler.headers.get('x-access-record')]).toEqual([null, null]);
    const found = (await records()).map(({ type, data }) => [
      type,
      data.outcome,
      data.actor.id,
      data.actor.role,
      data.action,
      data.resource.id,
    ]);
    expect(found).toContainEqual(['customer.data.denied.v1', 'denied', billing.id, 'billing', 'row.read', subjects[0]]);
    expect(found).toContainEqual(['customer.data.denied.v1', 'denied', agent.id, 'agent', 'row.read', subjects[0]]);
    expect(found).toHaveLength(2);
  });

  it('records a refusal of the gateway, in the name that its token says, and only with its scope', async () => {
    const body = { action: 'conversation.thread.read', resource: { type: 'conversation', id: subjects[0] } };
    const answer = await sut.call({ ...agent, roles: ['billing'], scope: 'denial' }, 'POST', '/v1/internal/denials', { body });
    expect(answer.status).toBe(201);
    const [record] = await records();
    expect([record?.event_id, record?.type]).toEqual([answer.body.recordId, 'customer.data.denied.v1']);
    expect(record?.data).toMatchObject({ ...body, actor: { id: agent.id, role: 'billing' }, outcome: 'denied' });
    expect((await sut.call(agent, 'POST', '/v1/internal/denials', { body })).status).toBe(403);
    expect((await sut.call({ ...agent, scope: 'denial' }, 'GET', `/v1/rows/${subjects[0]}`)).status).toBe(403);
  });

  it('withholds the answer when the database is down, and serves again when it is back', async () => {
    const server = new Client({ connectionString: process.env.TEST_DATABASE_URL });
    await server.connect();
    await admin.end();
    try {
      await server.query(`alter database ${database.name} allow_connections false`);
      await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database.name]);
      const answer = await sut.call(agent, 'GET', `/v1/rows/${subjects[0]}`);
      expect([answer.status, answer.body.code]).toEqual([503, 'AUDIT_UNAVAILABLE']);
      expect(answer.text).not.toContain('Canary');
      expect((await sut.health.ready()).status).toBe('failing');
      expect(sut.health.live().status).toBe('ok');
    } finally {
      await server.query(`alter database ${database.name} allow_connections true`);
      await server.end();
      admin = new Client({ connectionString: database.adminUrl });
      await admin.connect();
    }
    await until(async () => (await sut.call(agent, 'GET', `/v1/rows/${subjects[0]}`)).status === 200);
  });
});
