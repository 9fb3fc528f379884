import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeEvent, schemaUri, type EventData } from '@centralita/contracts';
import { createMemoryLog, eventRecord, type MemoryLog } from '@centralita/event-log';
import { FolderStore } from '@centralita/object-store';
import { startTestService, type TestService } from '@centralita/platform-nest/testing';
import { until as waitUntil, type UntilOptions } from '@centralita/testing-engines';
import type { MediaEnv } from '../config.js';
import { Directory, indexIdentity } from '../directory/directory.js';
import { mediaService } from '../services.js';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture } from '../support.spec.js';
import { mediaObjectKey } from './fetcher.js';

/** Patient: a crowded machine is slow, and nothing here is about time. */
const until = <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> =>
  waitUntil(condition, { timeoutMs: 40_000, ...options });

const NUMBER = '106540352242922';
const app = testApp('blue', NUMBER);
const { tenantId } = app;
const agent = { tenantId, roles: ['agent'] as const };
const compliance = { tenantId, roles: ['compliance'] as const };

/** What the provider has: bytes by media id, and how often it fails before it gives them. */
type Held = { bytes: Buffer; sha256?: string; failures?: number; status?: number };
const held = new Map<string, Held>();
const asked = new Map<string, number>();
const downloads: string[] = [];

let fixture: IngestFixture;
let provider: Server;
let log: MemoryLog;
let media: TestService<MediaEnv>;

const startMedia = async (): Promise<TestService<MediaEnv>> =>
  startTestService({
    ...mediaService,
    database: fixture.database,
    keyring: fixture.keyringDatabase,
    masterKey: fixture.masterKey,
    migrate: false,
    log,
    env: {
      INGEST_ROLE: 'media',
      APPS_FILE: await writeApps(fixture.folder, [app]),
      GRAPH_API_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
      MEDIA_DIR: fixture.folder,
      MEDIA_MAX_BYTES: '1000',
      MEDIA_BACKOFF_MS: '200',
    },
  });

beforeAll(async () => {
  fixture = await ingestFixture();
  log = createMemoryLog();
  provider = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://provider');
    const id = url.pathname.split('/').at(-1) ?? '';
    const found = held.get(id);
    if (request.headers.authorization !== 'Bearer token-blue') return void response.writeHead(401).end('{}');
    if (!found) return void response.writeHead(404).end('{}');
    if (url.pathname.startsWith('/bytes/')) {
      downloads.push(id);
      return void response.end(found.bytes);
    }
    asked.set(id, (asked.get(id) ?? 0) + 1);
    if (found.failures) {
      found.failures -= 1;
      return void response.writeHead(found.status ?? 500).end('{}');
    }
    const sha256 = found.sha256 ?? createHash('sha256').update(found.bytes).digest('hex');
    return void response.end(
      JSON.stringify({
        url: `http://${request.headers.host ?? ''}/bytes/${id}`,
        mime_type: 'image/jpeg',
        sha256,
        file_size: found.bytes.length,
      }),
    );
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  media = await startMedia();
});
afterAll(async () => {
  await media.close();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
  await log.close();
  await fixture.close();
});

type Given = { readonly providerId: string; readonly sha256?: string | null; readonly mimeType?: string; readonly at?: Date };
/** A message with media on the log, as the webhook records it. */
const received = async (given: Given): Promise<{ mediaId: string; subjectId: string; messageRef: string }> => {
  const [subjectId, mediaId, id] = [randomUUID(), randomUUID(), randomUUID()];
  await fixture.keyring.ensureSubjects(tenantId, [subjectId]);
  const keys = await fixture.keyring.sealer(tenantId, [subjectId]);
  const messageRef = (await fixture.keyring.references(tenantId)).messageRef(NUMBER, `wamid.${id}`);
  const at = (given.at ?? new Date()).toISOString();
  const item = { id: `wamid.${id}`, type: 'image', image: { id: given.providerId, mime_type: 'image/jpeg' } };
  const data: EventData<'whatsapp.message.received.v1'> = {
    app: 'blue',
    wabaId: 'waba-blue',
    phoneNumberId: NUMBER,
    messageRef,
    messageType: 'image',
    providerTime: at,
    subjectId,
    group: false,
    participant: '-',
    addressKind: 'phone',
    marketHint: { country: 'ES', prefix: '3460' },
    contextRef: null,
    media: { mediaId, mimeType: given.mimeType ?? 'image/jpeg', sha256: given.sha256 ?? null, voice: false },
    referral: false,
    sealed: keys.seal({ id, subject: subjectId, schema: 'wa.item.v1', plaintext: { item, contact: null, metadata: null } }),
  };
  const type = 'whatsapp.message.received.v1';
  const value = encodeEvent({
    specversion: '1.0',
    id,
    source: '/centralita/ingest',
    type,
    time: at,
    subject: subjectId,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: tenantId,
    recordedtime: at,
    correlationid: id,
    causationid: null,
    data,
  });
  await log.append([eventRecord({ topic: 'wa.inbound.v1', key: subjectId, value })]);
  return { mediaId, subjectId, messageRef };
};
const said = (mediaId: string) =>
  eventsOn(log, 'wa.outbound.v1').filter(({ data }) => (data as { mediaId?: string }).mediaId === mediaId);
const outcome = async (mediaId: string): Promise<Record<string, unknown>> => {
  await until(() => said(mediaId).length > 0, { describe: 'what became of a media' });
  const [event] = said(mediaId);
  return { type: event!.type, ...(event!.data as Record<string, unknown>) };
};
const read = (mediaId: string, actor: { tenantId: string; roles: readonly ('agent' | 'supervisor' | 'billing')[] } = agent) =>
  media.call(actor, 'GET', `/v1/media/${mediaId}`);
const download = async (mediaId: string): Promise<{ headers: Headers; bytes: Buffer }> => {
  const response = await fetch(`${media.url}/v1/media/${mediaId}`, {
    headers: { authorization: `Bearer ${await media.token(agent)}` },
  });
  return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
};
const accesses = (): Promise<{ id: string; data: Record<string, unknown> }[]> =>
  fixture.db.withTenant(tenantId, (tx) =>
    tx.query(`select event_id as id, data from events where tenant_id = $1 and topic = 'access.events.v1'`, [tenantId]),
  );

describe('media', () => {
  const bytes = Buffer.from('not really a photo, but personal');

  it('is stored as ciphertext under the sender’s key, and announced', async () => {
    held.set('M1', { bytes });
    const { mediaId, subjectId, messageRef } = await received({
      providerId: 'M1',
      sha256: createHash('sha256').update(bytes).digest('base64'),
    });
    const objectKey = mediaObjectKey({ tenantId, subjectId, mediaId });
    const cipher = await until(() => new FolderStore(fixture.folder).get(objectKey));
    expect(await outcome(mediaId)).toEqual({
      type: 'media.stored.v1',
      mediaId,
      messageRef,
      subjectId,
      mimeType: 'image/jpeg',
      bytes: bytes.length,
      cipherSha256: createHash('sha256').update(cipher).digest('hex'),
      objectKey,
    });
    expect(cipher.includes('photo')).toBe(false);
    const keys = await fixture.keyring.sealer(tenantId, [subjectId]);
    expect(keys.openBytes(subjectId, objectKey, cipher)).toEqual({ state: 'open', bytes });
  });

  it('is tried again while the provider is in trouble', async () => {
    held.set('M2', { bytes, failures: 2 });
    const { mediaId } = await received({ providerId: 'M2' });
    expect(await outcome(mediaId)).toMatchObject({ type: 'media.stored.v1' });
    expect(asked.get('M2')).toBe(3);
  });

  it('is lost when the provider does not have it', async () => {
    const { mediaId } = await received({ providerId: 'NONE' });
    expect(await outcome(mediaId)).toMatchObject({ type: 'media.lost.v1', reason: 'not_found' });
    expect((await read(mediaId)).status).toBe(404);
  });

  it('is lost when it is older than the provider keeps it, and still there when it is not gone', async () => {
    const at = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    held.set('M3', { bytes, failures: 100 });
    const { mediaId } = await received({ providerId: 'M3', at });
    expect(await outcome(mediaId)).toMatchObject({ type: 'media.lost.v1', reason: 'expired' });
    held.set('M4', { bytes });
    expect(await outcome((await received({ providerId: 'M4', at })).mediaId)).toMatchObject({ type: 'media.stored.v1' });
  });

  it('is lost when it is too big', async () => {
    held.set('M5', { bytes: Buffer.alloc(1001) });
    expect(await outcome((await received({ providerId: 'M5' })).mediaId)).toMatchObject({
      type: 'media.lost.v1',
      reason: 'too_big',
    });
  });

  it('is lost when its bytes are never what the webhook said', async () => {
    // given trouble before, which says nothing of the bytes
    held.set('M6', { bytes, failures: 2 });
    const { mediaId } = await received({ providerId: 'M6', sha256: createHash('sha256').update('else').digest('base64') });
    expect(await outcome(mediaId)).toMatchObject({ type: 'media.lost.v1', reason: 'hash_mismatch' });
    expect(asked.get('M6')).toBe(3);
    expect(downloads.filter((id) => id === 'M6')).toHaveLength(3);
  });

  it('is announced once more, with the same id and contents, after a crash before that was noted', async () => {
    held.set('M7', { bytes });
    const { mediaId } = await received({ providerId: 'M7' });
    await outcome(mediaId);
    await until(async () => (await read(mediaId)).status === 200);
    await fixture.db.withTenant(tenantId, (tx) =>
      tx.execute(`update media set state = 'waiting' where media_id = $1`, [mediaId]),
    );
    // given that the provider has forgotten it meanwhile
    held.delete('M7');
    await until(() => said(mediaId).length === 2);
    const [first, second] = said(mediaId);
    expect([second!.id, second!.data]).toEqual([first!.id, first!.data]);
  });

  it('of somebody who is being erased is not stored', async () => {
    held.set('M8', { bytes, failures: 1 });
    const { mediaId, subjectId } = await received({ providerId: 'M8' });
    await until(() => (asked.get('M8') ?? 0) > 0);
    await fixture.keyring.setState(tenantId, subjectId, 'destroyed');
    // The media process has its own lease on the key; a new process has none.
    await media.close();
    media = await startMedia();
    const state = async () => {
      const [row] = await fixture.db.withTenant(tenantId, (tx) =>
        tx.query<{ state: string }>('select state from media where media_id = $1', [mediaId]),
      );
      return row?.state;
    };
    await until(async () => (await state()) === 'lost');
    expect(await new FolderStore(fixture.folder).get(mediaObjectKey({ tenantId, subjectId, mediaId }))).toBeNull();
    // Where a tombstone stands there is no new record either.
    expect(said(mediaId)).toEqual([]);
  });
});

describe('reading', () => {
  const bytes = Buffer.from([0xff, 0xd8, 0xff, 0x00, 0x80]);
  const stored = async (id: string, mimeType?: string): Promise<{ mediaId: string; subjectId: string }> => {
    held.set(id, { bytes });
    const given = await received({ providerId: id, ...(mimeType === undefined ? {} : { mimeType }) });
    await until(async () => (await read(given.mediaId)).status === 200);
    return given;
  };

  it('gives the bytes, with an access record that names the subject', async () => {
    const { mediaId, subjectId } = await stored('R1');
    const before = await accesses();
    const { headers, bytes: got } = await download(mediaId);
    expect(got).toEqual(bytes);
    expect(headers.get('content-type')).toBe('image/jpeg');
    expect(headers.get('cache-control')).toBe('no-store');
    const keys = await fixture.keyring.sealer(tenantId, [subjectId]);
    const records = (await accesses()).filter(({ id }) => !before.some((known) => known.id === id));
    expect(records).toMatchObject([
      {
        data: {
          recordId: headers.get('x-access-record'),
          action: 'media.read',
          resource: { type: 'media', id: mediaId },
          fields: ['media'],
          subjects: [keys.commitment(subjectId)],
          resultCount: 1,
        },
      },
    ]);
  });

  it.each([
    ['audio/ogg; codecs=opus', 'audio/ogg', 'inline'],
    ['text/html', 'text/html', 'attachment'],
    ['image/svg+xml', 'image/svg+xml', 'attachment'],
    ['no mime type', 'application/octet-stream', 'attachment'],
  ])('of %s is %s, %s', async (mimeType, contentType, disposition) => {
    const { mediaId } = await stored(`R-${randomUUID()}`, mimeType);
    const { headers } = await download(mediaId);
    expect(headers.get('content-type')).toBe(contentType);
    expect(headers.get('content-disposition')).toMatch(new RegExp(`^${disposition}`));
  });

  it('is 404 for other tenants and unknown ids alike, and refused to other roles', async () => {
    const { mediaId } = await stored('R2');
    const foreign = await read(mediaId, { tenantId: randomUUID(), roles: ['agent'] });
    const unknown = await read(randomUUID());
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    expect({ ...foreign.body, instance: null }).toEqual({ ...unknown.body, instance: null });
    expect((await read(mediaId, { tenantId, roles: ['billing'] })).status).toBe(403);
  });

  it('is 410 once the subject is erased', async () => {
    const { mediaId, subjectId } = await stored('R3');
    await fixture.keyring.setState(tenantId, subjectId, 'destroyed');
    await media.close();
    media = await startMedia();
    expect(await read(mediaId)).toMatchObject({ status: 410, body: { code: 'ERASED' } });
  });
});

describe('looking up a subject', () => {
  const lookUp = (body: unknown, actor: { tenantId: string; roles: readonly ('compliance' | 'agent')[] } = compliance) =>
    media.call(actor, 'POST', '/v1/subjects/lookup', { body });

  it('finds who is known by a phone or BSUID, and is recorded', async () => {
    const references = await fixture.keyring.references(tenantId);
    const identity = indexIdentity(references, { phone: '34600000077', bsuid: 'ES.77' }, Date.now());
    const [subjectId] = await new Directory(fixture.db).resolve(tenantId, [identity]);
    await fixture.keyring.ensureSubjects(tenantId, [subjectId!]);
    const before = (await accesses()).length;
    const byPhone = await lookUp({ phone: '+34600000077' });
    expect(byPhone).toMatchObject({ status: 200, body: { subjectId } });
    expect((await lookUp({ bsuid: 'ES.77' })).body).toEqual({ subjectId });
    const records = await accesses();
    expect(records).toHaveLength(before + 2);
    expect(records.find(({ data }) => data['recordId'] === byPhone.headers.get('x-access-record'))).toMatchObject({
      data: { action: 'subject.lookup', fields: ['subject_id'] },
    });
    // Nothing of the question stands in the record.
    expect(JSON.stringify(records)).not.toMatch(/34600000077|ES\.77/);
  });

  it('makes nobody: who is unknown is 404, in every tenant', async () => {
    expect((await lookUp({ phone: '+34600000078' })).status).toBe(404);
    expect((await lookUp({ phone: '+34600000078' })).status).toBe(404);
    expect((await lookUp({ phone: '+34600000077' }, { tenantId: randomUUID(), roles: ['compliance'] })).status).toBe(404);
    expect((await lookUp({ bsuid: 'nonsense' })).status).toBe(404);
  });

  it('is for compliance only, and takes one identifier', async () => {
    expect((await lookUp({ phone: '+34600000077' }, agent)).status).toBe(403);
    expect((await lookUp({ phone: '+34600000077', bsuid: 'ES.77' })).status).toBe(400);
    expect((await lookUp({})).status).toBe(400);
  });
});
