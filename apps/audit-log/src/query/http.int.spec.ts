import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessPage, AuditFindingPage, CheckpointView, type AccessRecord, type ExportBundle } from '@centralita/contracts';
import {
  parseTlogProof,
  utf8,
  verifyExport,
  verifyHeads,
  verifyProof,
  fromHex,
  parseVerifierKey,
  type Trust,
} from '@centralita/domain-ledger';
import { until } from '@centralita/testing-engines';
import type { TestActor, TestAnswer } from '@centralita/platform-nest/testing';
import type { z } from 'zod';
import { sha256, verifyEd25519 } from '../signing/signer.js';
import { startHarness, type Harness } from '../support.spec.js';

let harness: Harness;
let tenant: ReturnType<Harness['tenant']>;
let people: { id: string; commitment: string }[];
let records: AccessRecord[];
const agent = randomUUID();

const get = (path: string, actor: TestActor = tenant.officer): Promise<TestAnswer> => harness.service.call(actor, 'GET', path);
const search = async (query: string): Promise<z.infer<typeof AccessPage>> =>
  AccessPage.parse((await get(`/v1/access-records${query}`)).body);
const trust = (): Trust => ({ hash: sha256, verify: verifyEd25519, keys: [harness.signer.key(tenant.id)] });

beforeAll(async () => {
  harness = await startHarness();
  tenant = harness.tenant();
  people = await harness.customers(tenant.id, 3);
  const [a, b, c] = people.map(({ commitment }) => commitment) as [string, string, string];
  const actor = { id: agent, role: 'agent' as const, session: 's' };
  records = [];
  for (const record of [
    { subjects: [a], actor },
    { subjects: [a, b, c], action: 'inbox.list' },
    { subjects: [b], outcome: 'denied' as const },
    { subjects: [a], occurredAt: '2026-11-01T00:00:00.000Z' },
  ])
    records.push(await tenant.source.access(record));
  await harness.checkpointed(tenant.id, 7);
});
afterAll(() => harness.close());

describe('GET /v1/access-records', () => {
  it('shows the records newest first, page by page, without the light leaves', async () => {
    const first = await search('?limit=3');
    const second = await search(`?limit=100&cursor=${first.nextCursor}`);
    const ids = [...first.items, ...second.items].map(({ leaf }) => leaf.recordId);
    expect(ids.filter((id) => records.some(({ recordId }) => recordId === id))).toEqual(
      records.map(({ recordId }) => recordId).reverse(),
    );
    expect(first.complete).toEqual({ state: 'not_a_subject', expected: null, found: 3 });
    expect(second.nextCursor).toBeNull();
  });

  it('finds every look at a customer, those in lists too, and says that none is missing', async () => {
    const [a] = people;
    const { items, complete } = await search(`?subject=${a?.id}&action=conversation.thread.read`);
    expect(items.map(({ leaf }) => leaf.recordId)).toEqual([records[3]?.recordId, records[0]?.recordId]);
    expect(complete.state).toBe('complete');
    expect(complete.found).toBe(complete.expected);
    expect(complete.found).toBeGreaterThanOrEqual(3);
  });

  it('filters by actor, outcome and time', async () => {
    expect((await search(`?actor=${agent}`)).items.map(({ leaf }) => leaf.recordId)).toEqual([records[0]?.recordId]);
    expect((await search('?outcome=denied')).items.map(({ leaf }) => leaf.recordId)).toEqual([records[2]?.recordId]);
    const november = await search('?from=2026-11-01T00:00:00.000Z&to=2026-11-01T00:00:01.000Z');
    expect(november.items.map(({ leaf }) => leaf.recordId)).toEqual([records[3]?.recordId]);
  });

  it('says nothing about customers of nobody and of others', async () => {
    const other = harness.tenant();
    const [stranger] = await harness.customers(other.id, 1);
    for (const id of [randomUUID(), stranger?.id])
      expect(await search(`?subject=${id}`)).toEqual({
        items: [],
        nextCursor: null,
        complete: { state: 'not_a_subject', expected: null, found: 0 },
      });
  });

  it('sees a leaf of a customer that somebody took out', async () => {
    const own = harness.tenant();
    const [person] = await harness.customers(own.id, 1);
    for (let n = 0; n < 3; n += 1) await own.source.access({ subjects: [person?.commitment ?? ''] });
    await harness.checkpointed(own.id, 3);
    await harness.admin.query(`delete from leaf where tenant_id = $1 and leaf_index = 1`, [own.id]);
    const answer = await get(`/v1/access-records?subject=${person?.id}`, own.officer);
    expect(AccessPage.parse(answer.body).complete).toEqual({ state: 'gap', expected: 3, found: 2 });
  });

  it('refuses a cursor of elsewhere, other roles, and answers 410 for an erased customer', async () => {
    expect(await get('/v1/access-records?cursor=nonsense')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect((await get('/v1/access-records', { tenantId: tenant.id, roles: ['supervisor'] })).status).toBe(403);
    const own = harness.tenant();
    const [person] = await harness.customers(own.id, 1);
    await harness.keyring.setState(own.id, person?.id ?? '', 'destroyed');
    expect(await get(`/v1/access-records?subject=${person?.id}`, own.officer)).toMatchObject({ status: 410 });
  });

  it('is itself a record, named in the answer, on the customer who was looked up', async () => {
    const [, , c] = people;
    const answer = await get(`/v1/access-records?subject=${c?.id}`);
    const recordId = answer.headers.get('x-access-record');
    expect(recordId).toMatch(/^[0-9a-f-]{36}$/);
    const own = await until(
      async () =>
        (await search(`?subject=${c?.id}&action=audit.records.search`)).items.find(({ leaf }) => leaf.recordId === recordId),
      { describe: 'the leaf of the query' },
    );
    expect(own.leaf).toMatchObject({
      service: 'audit-log',
      subject: c?.commitment,
      fields: ['access_record'],
      outcome: 'disclosed',
    });
  });
});

describe('GET /v1/audit/findings', () => {
  it('lists what a source left out or got wrong, newest first, page by page, and is itself a record', async () => {
    // given a source that loses number 2, and whose list at number 4 has a manifest of something else
    const own = harness.tenant();
    const [a, b] = (await harness.customers(own.id, 2)).map(({ commitment }) => commitment) as [string, string];
    await own.source.access({ subjects: [] });
    await harness.checkpointed(own.id, 1);
    await harness.loseIntake(
      own,
      () => own.source.access({ subjects: [] }),
      () => own.source.access({ subjects: [] }),
    );
    await own.source.access({ subjects: [a, b], manifest: 'f'.repeat(64) });
    await harness.checkpointed(own.id, 5);
    const findings = async (query: string, actor = own.officer): Promise<z.infer<typeof AuditFindingPage>> =>
      AuditFindingPage.parse((await get(`/v1/audit/findings${query}`, actor)).body);
    // then
    const gap = { kind: 'source_gap', sourceLane: own.source.lane(0), numberFrom: '2', numberTo: '2', leafIndex: '1' };
    const mismatch = {
      kind: 'manifest_mismatch',
      sourceLane: own.source.lane(0),
      numberFrom: '4',
      numberTo: '4',
      leafIndex: '2',
    };
    const first = await findings('?limit=1');
    expect(first.items).toMatchObject([mismatch]);
    const second = await findings(`?limit=1&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ items: [gap], nextCursor: null });
    expect((await findings('?kind=source_gap')).items).toMatchObject([gap]);
    const answer = await get('/v1/audit/findings', own.officer);
    const recordId = answer.headers.get('x-access-record');
    const read = await until(
      async () => {
        const page = AccessPage.parse((await get('/v1/access-records?action=audit.findings.read', own.officer)).body);
        return page.items.find(({ leaf }) => leaf.recordId === recordId);
      },
      { describe: 'the leaf of the query' },
    );
    expect(read.leaf).toMatchObject({ resource: { type: 'finding', id: 'list' }, resultCount: 2 });
  });

  it('is for compliance alone, of one tenant, and knows its cursors', async () => {
    expect((await get('/v1/audit/findings', { tenantId: tenant.id, roles: ['supervisor', 'platform'] })).status).toBe(403);
    expect((await get('/v1/audit/findings', harness.tenant().officer)).body).toEqual({ items: [], nextCursor: null });
    for (const cursor of ['nonsense', Buffer.from('7:other').toString('base64url')])
      expect(await get(`/v1/audit/findings?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED' },
      });
  });
});

describe('proofs', () => {
  it('verify offline, for every record', async () => {
    for (let index = 0; index < 7; index += 1) {
      const detail = await get(`/v1/records/${index}`);
      const view = await get(`/v1/records/${index}/proof`);
      expect(view.status).toBe(200);
      const proof = parseTlogProof(view.body.tlogProof as string);
      expect(Buffer.from(proof.extra ?? []).toString()).toBe(detail.body.leafText);
      expect((await verifyProof(proof, trust(), utf8(detail.body.leafText as string))).findings).toEqual([]);
    }
  });

  it('are not there for leaves that are not', async () => {
    for (const leaf of ['1000000', 'x', '-1']) expect((await get(`/v1/records/${leaf}/proof`)).status).toBe(404);
    const other = harness.tenant();
    expect((await get('/v1/records/0', other.officer)).status).toBe(404);
    expect((await get('/v1/checkpoint', other.officer)).status).toBe(404);
  });
});

describe('checkpoints, consistency, keys and exports', () => {
  it('agree with each other and with the published key', async () => {
    const older = CheckpointView.parse((await get('/v1/checkpoint')).body);
    expect((await get(`/v1/checkpoints/${older.size}`)).body).toEqual(older);
    const { items } = (await get('/v1/keys')).body as { items: { verifierKey: string }[] };
    expect(items).toEqual([{ verifierKey: older.verifierKey }]);
    const keys = items.map(({ verifierKey }) => parseVerifierKey(sha256, verifierKey));

    await tenant.source.access({ subjects: [] });
    const size = await harness.checkpointed(tenant.id, Number(older.size) + 1);
    const view = (await get(`/v1/consistency?from=${older.size}&to=${size}`)).body as {
      fromNote: string;
      toNote: string;
      path: string[];
    };
    const report = await verifyHeads(
      { from: view.fromNote, to: view.toNote, path: view.path.map((node) => fromHex(node)) },
      { ...trust(), keys },
    );
    expect(report.findings).toEqual([]);
  });

  it('export any range, verifiable on its own', async () => {
    for (const query of ['', '?from=2&to=5', '?from=7&to=7', '?to=1']) {
      const answer = await get(`/v1/exports${query}`);
      expect(answer.status).toBe(200);
      expect((await verifyExport(answer.body as ExportBundle, trust())).findings).toEqual([]);
    }
    expect((await get('/v1/exports?from=3&to=2')).status).toBe(400);
    expect((await get('/v1/exports?to=1000000')).status).toBe(400);
    expect((await get('/v1/consistency?from=2&to=1')).status).toBe(400);
    expect((await get('/v1/consistency?from=999998&to=999999')).status).toBe(404);
  });

  it('leave a record each', async () => {
    for (const path of ['/v1/checkpoint', '/v1/keys', '/v1/exports', '/v1/records/0', '/v1/records/0/proof'])
      expect((await get(path)).headers.get('x-access-record')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
