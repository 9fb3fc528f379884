import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  decodeEvent,
  encodeEvent,
  isType,
  schemaUri,
  type BillingDigest,
  type EventData,
  type Statement,
  type UsageBalance,
  type UsageItem,
  type UsagePage,
} from '@centralita/contracts';
import { createDataSource, Database, EventStore, rebuildProjection } from '@centralita/event-store';
import { createMemoryLog, eventRecord, type EventLog } from '@centralita/event-log';
import { createLogger, createMetrics, DrainController, type MetricName } from '@centralita/platform-nest';
import { startTestService, type TestActor, type TestService } from '@centralita/platform-nest/testing';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { z } from 'zod';
import { AccountBook } from './accounts.js';
import { BillingModule } from './app.module.js';
import { BalanceSampler } from './balance/sampler.js';
import { stateDigest } from './digest/digest.js';
import type { StatusFact } from '@centralita/domain-billing';
import { applyStatuses } from './fold-usage/fold.js';
import { usageProjection } from './projections.js';
import { proveReplay } from './replay/prove.js';
import { replay } from './replay/replay.js';
import { billing } from './service.js';

const tenantId = randomUUID();
const otherTenant = randomUUID();
const account = (tenant: string, wabaId: string) => ({
  tenantId: tenant,
  wabaId,
  timeZone: 'Europe/Madrid',
  currency: 'USD',
  numbers: [{ phoneNumberId: `${wabaId}-1`, displayPhoneNumber: '34911000001', name: 'Bookings' }],
});
const tenantOfCards = randomUUID();
const accounts = new AccountBook([account(tenantId, '501'), account(otherTenant, '601'), account(tenantOfCards, '701')]);
const clerk: TestActor = { tenantId, roles: ['billing'] };

const status = (extra: Partial<EventData<'whatsapp.status.changed.v1'>>): EventData<'whatsapp.status.changed.v1'> => ({
  app: 'hotel',
  wabaId: '501',
  phoneNumberId: '501-1',
  messageRef: randomBytes(16).toString('base64url'),
  sendId: null,
  status: 'delivered',
  providerTime: '2026-11-10T10:00:00.000Z',
  participant: '-',
  marketHint: { country: 'ES', prefix: '3460' },
  pricing: { model: 'PMP', type: 'regular', category: 'service', subtype: null, billable: true },
  origin: null,
  errorCodes: [],
  sealed: { id: randomUUID(), subject: randomUUID(), schema: 'wa.item.v1', kid: 'k', nonce: 'n', ct: 'c' },
  ...extra,
});

const rateCard = {
  supplier: 'meta',
  currency: 'USD',
  validFrom: '2026-10-01',
  era: 'E5',
  markets: [{ market: 'Spain', countries: ['ES'], prefixes: ['34'] }],
  rows: [{ market: 'Spain', category: 'service', rate: '20000000' }],
  source: { description: 'test', sha256: '0'.repeat(64) },
};

/** The same log, handed out record by record. */
const oneByOne = (log: EventLog): EventLog => ({
  ...log,
  read: (ranges, onRecords) =>
    log.read(ranges, async (records) => {
      for (const record of records) await onRecords([record]);
    }),
});

describe('the fold in the database', () => {
  let database: TestDatabase;
  let service: TestService<{ ACCOUNTS_FILE: string }>;
  let db: Database;
  const log = createMemoryLog();
  beforeAll(async () => {
    database = await createTestDatabase({ service: 'billing' });
    service = await startTestService({
      ...billing,
      database,
      log,
      env: { ACCOUNTS_FILE: 'given' },
      module: () => BillingModule.with(accounts),
    });
    db = new Database(createDataSource({ url: database.appUrl, poolSize: 2 }));
  });
  afterAll(async () => {
    await service.close();
    await Promise.all([db.close(), log.close()]);
    await database.drop();
  });

  const publish = async (data: EventData<'whatsapp.status.changed.v1'>, tenant = tenantId): Promise<void> => {
    const value = encodeEvent({
      specversion: '1.0',
      id: randomUUID(),
      source: '/centralita/ingest',
      type: 'whatsapp.status.changed.v1',
      time: data.providerTime,
      subject: data.messageRef,
      datacontenttype: 'application/json',
      dataschema: schemaUri('whatsapp.status.changed.v1'),
      tenantid: tenant,
      recordedtime: data.providerTime,
      correlationid: randomUUID(),
      causationid: null,
      data,
    });
    await log.append([eventRecord({ topic: 'wa.inbound.v1', key: data.sealed.subject, value })]);
  };
  const statement = async (month = '2026-11', actor = clerk): Promise<Statement> =>
    (await service.call(actor, 'GET', `/v1/statements/501/${month}`)).body as Statement;

  it('bills a delivered message once, explains it, and leads to its evidence', async () => {
    // given a card, and one message with sent, delivered and read in any order
    expect((await service.call(clerk, 'POST', '/v1/rate-cards', { body: rateCard })).status).toBe(201);
    const message = status({ status: 'read' });
    await publish(message);
    await publish({ ...message, status: 'sent', providerTime: '2026-11-10T09:59:58.000Z' });
    await publish({ ...message, status: 'delivered', pricing: null, providerTime: '2026-11-10T09:59:59.000Z' });
    // when the log has been read
    const done = await until(async () => {
      const current = await statement();
      return current.lines[0]?.amount === '20000000' ? current : undefined;
    });
    // then there is one line with one message
    expect(done.lines).toMatchObject([{ kind: 'charged', category: 'service', market: 'Spain', quantity: 1, rate: '20000000' }]);
    expect(done.lines[0]?.explanation.es).toBe('service, mercado Spain: 0.02 por mensaje entregado.');
    const { body } = await service.call(clerk, 'GET', `/v1/statements/501/2026-11/lines/${done.lines[0]?.lineId}/usage`);
    const [item] = (body as { items: UsageItem[] }).items;
    await until(async () => {
      const one = (await service.call(clerk, 'GET', `/v1/usage/${item?.usageId}`)).body as UsageItem;
      return one.evidence?.length === 3 && one.deliveredAt === '2026-11-10T09:59:59.000Z' && one.revision === 2;
    });
    // and each revision on the log names the record that made it
    const told = await until(() => {
      const all = log.records('billing.events.v1').map((record) => decodeEvent(record.value));
      const recorded = all.flatMap((one) => ('event' in one && isType(one.event, 'usage.recorded.v1') ? [one.event] : []));
      return recorded.length === 2 ? recorded : undefined;
    });
    expect(told.map(({ data, cause }) => [data.revision, cause?.topic, cause?.offset])).toEqual([
      [1, 'wa.inbound.v1', '0'],
      [2, 'wa.inbound.v1', '2'],
    ]);
  });

  it('shows another tenant neither statement nor usage', async () => {
    expect((await service.call({ tenantId: otherTenant, roles: ['billing'] }, 'GET', '/v1/statements/501/2026-11')).status).toBe(
      404,
    );
    expect((await service.call({ tenantId: otherTenant, roles: ['billing'] }, 'GET', '/v1/statements')).body).toEqual({
      items: [],
    });
  });

  it('refuses a card that contradicts itself, naming each place', async () => {
    const wrong = {
      ...rateCard,
      rows: [
        ...rateCard.rows,
        { market: 'Spain', category: 'service', rate: '1' },
        { market: 'Atlantis', category: 'service', rate: '1' },
      ],
    };
    const { status: code, body } = await service.call(clerk, 'POST', '/v1/rate-cards', { body: wrong });
    expect(code).toBe(400);
    expect((body as { errors: { path: string }[] }).errors.map((error) => error.path)).toEqual([
      'body.rows.1',
      'body.rows.2.market',
    ]);
  });

  it('refuses agents', async () => {
    expect((await service.call({ tenantId, roles: ['agent'] }, 'GET', '/v1/statements')).status).toBe(403);
  });

  it('is filled again from the log alone, with the same digest', async () => {
    // given a log with a card, many messages, redeliveries and what the fold does not need
    const messages = Array.from({ length: 20 }, () => status({}));
    for (const message of [...messages, ...messages.slice(0, 3)]) await publish({ ...message, status: 'sent' });
    for (const message of messages) await publish(message);
    await log.append([eventRecord({ topic: 'wa.inbound.v1', key: randomUUID(), value: Buffer.from('no event') })]);
    const live = await until(async () => {
      const { body } = await service.call(clerk, 'GET', '/v1/billing-digest');
      return (body as BillingDigest).rows >= 22 ? (body as BillingDigest) : undefined;
    });
    // when a fresh database reads it
    const fresh = await createTestDatabase({ service: 'billing' });
    const owner = new Database(createDataSource({ url: fresh.ownerUrl, migrations: billing.migrations }));
    await owner.migrate();
    await owner.close();
    const empty = new Database(createDataSource({ url: fresh.appUrl, poolSize: 2 }));
    try {
      // in batches so small that the statuses of a message come apart, and once more over what is there already
      for (const atOnce of [1, 10_000]) {
        const { tenants } = await replay(oneByOne(log), empty, accounts, { atOnce });
        // then
        expect(tenants[tenantId]).toEqual({ stateDigest: live.stateDigest, rows: live.rows, foldVersion: live.foldVersion });
      }
      // and a replay that cannot write says so
      await empty.withTenant(tenantId, (tx) => tx.execute(`delete from usage where tenant_id = $1`, [tenantId]));
      await expect(replay(oneByOne(log), empty, accounts, { atOnce: 1 })).rejects.toThrow();
    } finally {
      await empty.close();
      await fresh.drop();
    }
  });

  it('is proven by a replay in a database of its own, and what came of it stands on the log', async () => {
    const fresh = await createTestDatabase({ service: 'billing' });
    const owner = new Database(createDataSource({ url: fresh.ownerUrl, migrations: billing.migrations }));
    await owner.migrate();
    await owner.close();
    const scratch = new Database(createDataSource({ url: fresh.appUrl, poolSize: 2 }));
    const proofs = async (): Promise<EventData<'replay.verified.v1'>[]> =>
      log.records('billing.events.v1').flatMap(({ value }) => {
        const decoded = decodeEvent(value);
        return 'event' in decoded && isType(decoded.event, 'replay.verified.v1') ? [decoded.event.data] : [];
      });
    try {
      // twice, because it comes every night into the same database
      for (const runs of [1, 2]) {
        const proof = await proveReplay(log, scratch, db, accounts);
        expect(proof).toMatchObject({ equal: true, differing: [] });
        expect(proof.tenants[tenantId]?.rows).toBeGreaterThan(0);
        const [last] = (await until(async () => ((await proofs()).length === runs ? await proofs() : null))).slice(-1);
        expect(last).toMatchObject({
          runId: proof.runId,
          equal: true,
          stateDigest: proof.stateDigest,
          logDigest: proof.logDigest,
        });
      }
      // and a live fold that somebody has changed is found
      const change = (by: string) =>
        db.withTenant(tenantId, (tx) =>
          tx.execute(`update rate_card set body = jsonb_set(body, '{era}', $2::jsonb) where tenant_id = $1`, [tenantId, by]),
        );
      await change('"E6"');
      expect(await proveReplay(log, scratch, db, accounts)).toMatchObject({ equal: false, differing: [tenantId] });
      await change('"E5"');
      // and a database that a service works on is not emptied
      await expect(proveReplay(log, db, db, accounts)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    } finally {
      await scratch.close();
      await fresh.drop();
    }
  });

  it('is filled again beside the one that serves, and exchanged when it has caught up', async () => {
    const digest = (): Promise<{ stateDigest: string; rows: number }> => db.withTenant(tenantId, stateDigest);
    const before = await digest();
    await db.withTenant(tenantId, (tx) => tx.execute(`delete from usage where tenant_id = $1`, [tenantId]));
    expect((await digest()).rows).toBeLessThan(before.rows);
    const owner = new Database(createDataSource({ url: database.ownerUrl, poolSize: 2 }));
    try {
      const { tables, handlers } = usageProjection(accounts);
      const store = new EventStore({ service: 'billing' });
      await rebuildProjection({ db: owner, log, store, projection: 'usage', tables, handlers, groupId: billing.consumerGroup });
    } finally {
      await owner.close();
    }
    expect(await digest()).toEqual(before);
    // and live goes on from there
    await publish(status({}));
    await until(async () => (await digest()).rows === before.rows + 1);
  });

  it('leads from each line to its records page by page, across a change of cards, and accounts for all of them', async () => {
    // given two cards in one month, and messages of a registered account and of another one
    const owner: TestActor = { tenantId: tenantOfCards, roles: ['billing'] };
    for (const [validFrom, rate] of [
      ['2026-10-01', '10'],
      ['2026-11-05', '20'],
    ])
      await service.call(owner, 'POST', '/v1/rate-cards', {
        body: { ...rateCard, validFrom, rows: [{ market: 'Spain', category: 'service', rate }] },
      });
    const own = (extra: Parameters<typeof status>[0]) =>
      publish(status({ wabaId: '701', phoneNumberId: '701-1', ...extra }), tenantOfCards);
    // 23:00 UTC of the fourth is the fifth in Madrid
    const days = ['2026-11-04T22:59:59.999Z', '2026-11-04T23:00:00.000Z', '2026-11-20T10:00:00.000Z'];
    for (const providerTime of [...days, ...days]) await own({ providerTime });
    await own({ status: 'failed', pricing: null });
    await own({ pricing: null });
    await own({ wabaId: '999', phoneNumberId: '999-1' });
    const get = async (path: string): Promise<unknown> => (await service.call(owner, 'GET', path)).body;
    const month = await until(async () => {
      // The balance first: what it counts is on the statement that is read after it.
      const { undelivered, delivered } = (await get('/v1/usage-balance')) as UsageBalance;
      const current = (await get('/v1/statements/701/2026-11')) as Statement;
      return current.lines.length === 3 && undelivered === 1 && delivered === 8 ? current : undefined;
    });
    // then each line leads to as many records as it counts, each once
    expect(month.lines.map(({ kind, rate, quantity, amount }) => [kind, rate, quantity, amount]).sort()).toEqual([
      ['charged', '10', 2, '20'],
      ['charged', '20', 4, '80'],
      ['suspense', null, 1, '0'],
    ]);
    for (const { lineId, quantity } of month.lines) {
      const items: UsageItem[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page = (await get(`/v1/statements/701/2026-11/lines/${lineId}/usage?limit=1${after}`)) as z.infer<typeof UsagePage>;
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      expect([items.length, new Set(items.map(({ usageId }) => usageId)).size]).toEqual([quantity, quantity]);
      const [first] = items;
      expect(await get(`/v1/usage/${first?.usageId}`)).toEqual(first);
    }
    expect(((await get('/v1/statements')) as { items: unknown[] }).items).toMatchObject([
      { wabaId: '701', month: '2026-11', quantity: 7, amount: '100' },
    ]);
    const wrong = await service.call(owner, 'GET', `/v1/statements/701/2026-11/lines/x/usage?cursor=nonsense`);
    expect(wrong).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect((await service.call(owner, 'GET', `/v1/usage/${randomUUID()}`)).status).toBe(404);
    // and the parts are the whole, what nobody has registered too
    expect(await get('/v1/usage-balance')).toEqual({
      ...{ delivered: 8, rated: 6, free: 0, suspense: 2, undelivered: 1, parked: 0, skipped: 0 },
      balanced: true,
    });
  });

  it('tells as metrics what has no price, and that the books do not balance when a record is missing', async () => {
    // given a tenant with a delivery in evidence and no record of it, beside those of the other tests
    const broken = randomUUID();
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query(
      `insert into usage_evidence (tenant_id, message_ref, participant, charge_kind, event_id, place, status, provider_time, recorded_time)
       values ($1, 'lost', '-', 'message', $2, 0, 'delivered', now(), now())`,
      [broken, randomUUID()],
    );
    await admin.end();
    const sampled = async (book: AccountBook): Promise<(name: MetricName) => number | undefined> => {
      const metrics = createMetrics({ service: 'billing', defaults: false });
      const drain = new DrainController(createLogger({ service: 'billing', level: 'silent' }));
      await new BalanceSampler(db, book, () => new Date('2026-12-01T00:00:00.000Z'), metrics, drain).sample();
      const all = await metrics.registry.getMetricsAsJSON();
      return (name) => all.find((metric) => metric.name === name)?.values[0]?.value;
    };
    // when, then
    const whole = await sampled(accounts);
    expect(whole('billing_reconcile_diff')).toBe(0);
    expect(whole('billing_unrated_events')).toBeGreaterThanOrEqual(2);
    expect(whole('billing_oldest_unrated_seconds')).toBeGreaterThan(86_400);
    const lost = await sampled(new AccountBook([account(broken, '801')]));
    expect(lost('billing_reconcile_diff')).toBe(1);
    expect([lost('billing_unrated_events'), lost('billing_oldest_unrated_seconds')]).toEqual([0, 0]);
  });

  it('reaches the same digest however the log is cut into batches, and with every record twice', async () => {
    // given 40 statuses of 12 messages
    const messages = Array.from({ length: 12 }, () => status({}));
    const facts: StatusFact[] = Array.from({ length: 40 }, (_, index) => {
      const message = messages[index % messages.length] ?? status({});
      const step = ['sent', 'delivered', 'read', 'failed'][index % 4] ?? 'sent';
      return {
        eventId: randomUUID(),
        subjectKey: message.sealed.subject,
        recordedTime: '2026-11-10T10:00:00.000Z',
        data: {
          ...message,
          status: step,
          providerTime: new Date(Date.UTC(2026, 10, 10, 10, 0, (index * 7) % 40)).toISOString(),
          pricing: index % 3 === 0 ? message.pricing : null,
        },
      };
    });
    // when it is applied at once, one by one, and doubled in sevens, each for a tenant of its own
    const cut = (size: number): StatusFact[][] =>
      Array.from({ length: Math.ceil(facts.length / size) }, (_, index) => facts.slice(index * size, (index + 1) * size));
    const digests = [];
    for (const batches of [cut(40), cut(1), cut(7).flatMap((batch) => [batch, batch])]) {
      const tenant = randomUUID();
      const book = new AccountBook([account(tenant, '501')]);
      for (const batch of batches) await db.withTenant(tenant, (tx) => applyStatuses(tx, book, batch));
      digests.push(await db.withTenant(tenant, stateDigest));
    }
    // then the rows are equal
    expect(digests[0]?.rows).toBe(12);
    expect(digests[1]).toEqual(digests[0]);
    expect(digests[2]).toEqual(digests[0]);
  });
});
