import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeEvent, schemaUri, type CloudEvent, type EventData } from '@centralita/contracts';
import { createMemoryLog, eventRecord, type MemoryLog } from '@centralita/event-log';
import { startTestService, type TestService } from '@centralita/platform-nest/testing';
import { until as waitUntil, type UntilOptions } from '@centralita/testing-engines';
import type { SenderEnv } from '../config.js';
import { senderService } from '../services.js';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture } from '../support.spec.js';
import { rebuildLedger } from './rebuild.js';

/** Patient: a crowded machine is slow, and nothing here is about time. */
const until = <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> =>
  waitUntil(condition, { timeoutMs: 40_000, ...options });

const NUMBER = '106540352242922';
const app = testApp('blue', NUMBER);
const { tenantId } = app;

type Call = {
  readonly sendId: string;
  readonly to: string;
  readonly authorization: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
};
/** What the provider does with a call, by send id; without an entry it accepts. */
const plans = new Map<string, (response: ServerResponse, call: Call) => void>();
const calls: Call[] = [];
const accept = (response: ServerResponse, call: Call): void =>
  void response.end(JSON.stringify({ messages: [{ id: `wamid.${call.sendId}` }] }));
const refuse = (code: number) => (response: ServerResponse) =>
  void response.writeHead(400).end(JSON.stringify({ error: { code } }));
const say = (response: ServerResponse): void => void response.destroy();

let fixture: IngestFixture;
let provider: Server;
let log: MemoryLog;
let sender: TestService<SenderEnv>;

const startSender = async (env: Record<string, string> = {}): Promise<TestService<SenderEnv>> =>
  startTestService({
    ...senderService,
    database: fixture.database,
    keyring: fixture.keyringDatabase,
    masterKey: fixture.masterKey,
    migrate: false,
    log,
    env: {
      INGEST_ROLE: 'sender',
      APPS_FILE: await writeApps(fixture.folder, [app]),
      GRAPH_API_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
      GRAPH_TIMEOUT_MS: '2000',
      ...env,
    },
  });

beforeAll(async () => {
  fixture = await ingestFixture();
  log = createMemoryLog();
  provider = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      const call: Call = {
        sendId: body['biz_opaque_callback_data'] as string,
        to: (body['to'] ?? body['recipient']) as string,
        authorization: request.headers.authorization ?? '',
        path: request.url ?? '',
        body,
      };
      calls.push(call);
      (plans.get(call.sendId) ?? accept)(response, call);
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  sender = await startSender();
});
afterAll(async () => {
  await sender.close();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
  await log.close();
  await fixture.close();
});

const versions = new Map<string, number>();
const append = async (
  topic: string,
  type: CloudEvent['type'],
  key: string,
  data: unknown,
  stored: boolean,
): Promise<CloudEvent> => {
  const at = new Date().toISOString();
  const version = (versions.get(key) ?? 0) + 1;
  if (stored) versions.set(key, version);
  const id = randomUUID();
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: '/centralita/test',
    type,
    time: at,
    subject: key,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: tenantId,
    recordedtime: at,
    correlationid: id,
    causationid: null,
    ...(stored ? { keyversion: String(version), streamversion: String(version) } : {}),
    data,
  };
  await log.append([eventRecord({ topic, key, value: encodeEvent(event) })]);
  return event;
};

type Wanted = { key?: string; plaintext?: unknown; sendBefore?: Date; phoneNumberId?: string; sendId?: string };
const request = async (wanted: Wanted = {}): Promise<{ sendId: string; key: string; event: CloudEvent }> => {
  const { key = randomUUID(), sendId = randomUUID() } = wanted;
  await fixture.keyring.ensureSubjects(tenantId, [key]);
  const keys = await fixture.keyring.sealer(tenantId, [key]);
  const plaintext = wanted.plaintext ?? { to: '34600000001', text: 'mañana 👋' };
  const data: EventData<'conversation.reply.requested.v1'> = {
    conversationId: randomUUID(),
    subjectId: key,
    replyId: randomUUID(),
    sendId,
    phoneNumberId: wanted.phoneNumberId ?? NUMBER,
    agentId: randomUUID(),
    kind: 'text',
    template: null,
    contextRef: null,
    requestedAt: new Date().toISOString(),
    sendBefore: (wanted.sendBefore ?? new Date(Date.now() + 60_000)).toISOString(),
    sealed: keys.seal({ id: randomUUID(), subject: key, schema: 'reply.v1', plaintext }),
  };
  return { sendId, key, event: await append('conversation.events.v1', 'conversation.reply.requested.v1', key, data, true) };
};
const status = async (sendId: string, key: string, wamid: string): Promise<string> => {
  const references = await fixture.keyring.references(tenantId);
  const keys = await fixture.keyring.sealer(tenantId, [key]);
  const messageRef = references.messageRef(NUMBER, wamid);
  const data: EventData<'whatsapp.status.changed.v1'> = {
    app: 'blue',
    wabaId: 'waba-blue',
    phoneNumberId: NUMBER,
    messageRef,
    sendId,
    status: 'sent',
    providerTime: new Date().toISOString(),
    participant: '-',
    marketHint: { country: 'ES', prefix: '3460' },
    pricing: null,
    origin: null,
    errorCodes: [],
    sealed: keys.seal({ id: randomUUID(), subject: key, schema: 'wa.item.v1', plaintext: {} }),
  };
  await append('wa.inbound.v1', 'whatsapp.status.changed.v1', key, data, false);
  return messageRef;
};
const said = (sendId: string): { type: string; data: Record<string, unknown>; id: string; event: CloudEvent }[] =>
  eventsOn(log, 'wa.outbound.v1')
    .filter(({ data }) => (data as { sendId?: string }).sendId === sendId)
    .map((event) => ({
      type: event.type.slice('whatsapp.reply.'.length, -'.v1'.length),
      data: event.data as Record<string, unknown>,
      id: event.id,
      event,
    }));
const settled = async (sendId: string, last: string): Promise<string[]> => {
  await until(() => said(sendId).some(({ type }) => type === last), {
    describe: () =>
      `${last}; saw ${said(sendId)
        .map((s) => s.type)
        .join(', ')}`,
  });
  return said(sendId).map(({ type }) => type);
};
const callsOf = (sendId: string): Call[] => calls.filter((call) => call.sendId === sendId);
const stateOf = async (sendId: string): Promise<string | undefined> => {
  const rows = await fixture.db.withTenant(tenantId, (tx) =>
    tx.query<{ state: string }>('select state from send where send_id = $1', [sendId]),
  );
  return rows[0]?.state;
};

describe('a reply', () => {
  it('is announced, called once with the send id, and accepted', async () => {
    const { sendId, key, event } = await request({
      plaintext: { to: '34600000001', text: 'mañana 👋', contextWamid: 'wamid.IN' },
    });
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'accepted']);
    expect(callsOf(sendId)).toMatchObject([
      {
        path: `/v25.0/${NUMBER}/messages`,
        authorization: 'Bearer token-blue',
        body: { to: '34600000001', text: { body: 'mañana 👋' }, context: { message_id: 'wamid.IN' } },
      },
    ]);
    const references = await fixture.keyring.references(tenantId);
    const [attempted, accepted] = said(sendId);
    expect(accepted).toMatchObject({
      id: references.sendEventId('whatsapp.reply.accepted.v1', sendId, 1),
      data: { messageRef: references.messageRef(NUMBER, `wamid.${sendId}`), kind: 'text', attempt: 1 },
      event: {
        subject: key,
        correlationid: event.correlationid,
        causationid: event.id,
        cause: { topic: 'conversation.events.v1' },
      },
    });
    expect(attempted!.data).toMatchObject({ attempt: 1, kind: 'text' });
    expect(JSON.stringify(said(sendId))).not.toMatch(/34600000001|mañana|wamid/);
    // A status that comes without the send id can be bound now.
    await until(async () => (await stateOf(sendId)) === 'accepted');
  });

  it('of a template goes to a BSUID as the recipient', async () => {
    const { sendId } = await request({
      plaintext: { recipient: 'ES.1', template: { name: 'again', language: 'es', values: ['Ana'] } },
    });
    await settled(sendId, 'accepted');
    const [call] = callsOf(sendId);
    expect(call!.body).not.toHaveProperty('to');
    expect(call!.body).toMatchObject({
      recipient: 'ES.1',
      template: {
        name: 'again',
        language: { code: 'es' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
      },
    });
  });

  it('to a group names it as one', async () => {
    const { sendId } = await request({ plaintext: { to: 'G1', recipientType: 'group', text: 'a todos' } });
    await settled(sendId, 'accepted');
    expect(callsOf(sendId)).toMatchObject([{ body: { to: 'G1', recipient_type: 'group' } }]);
  });

  it('that is refused says why', async () => {
    const sendId = randomUUID();
    plans.set(sendId, refuse(131047));
    await request({ sendId });
    expect(await settled(sendId, 'refused')).toEqual(['attempted', 'refused']);
    expect(said(sendId)[1]!.data).toMatchObject({ reason: 'window_closed', providerCode: 131047 });
  });

  it('that comes too late is refused without a call', async () => {
    const { sendId } = await request({ sendBefore: new Date(Date.now() - 1) });
    expect(await settled(sendId, 'refused')).toEqual(['refused']);
    expect(said(sendId)[0]!.data).toMatchObject({ reason: 'deadline_passed', providerCode: null });
    expect(callsOf(sendId)).toEqual([]);
  });

  it.each([
    ['has two addresses', { to: '1', recipient: 'ES.1', text: 'x' }],
    ['has no words', { to: '34600000001' }],
    ['is none', 'text'],
  ])('whose envelope %s is refused without a call', async (_, plaintext) => {
    const { sendId } = await request({ plaintext });
    await settled(sendId, 'refused');
    expect(said(sendId)[0]!.data).toMatchObject({ reason: 'invalid_request' });
    expect(callsOf(sendId)).toEqual([]);
  });

  it('for a number of another tenant is refused without a call', async () => {
    const { sendId } = await request({ phoneNumberId: '999' });
    await settled(sendId, 'refused');
    expect(callsOf(sendId)).toEqual([]);
  });

  it('that is requested twice is sent once', async () => {
    const { sendId, key, event } = await request();
    await append('conversation.events.v1', 'conversation.reply.requested.v1', key, event.data, true);
    await settled(sendId, 'accepted');
    const next = await request({ key });
    await settled(next.sendId, 'accepted');
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('waits for the one before it to the same customer, and not for others', async () => {
    const key = randomUUID();
    const held: (() => void)[] = [];
    const first = randomUUID();
    plans.set(first, (response, call) => void held.push(() => accept(response, call)));
    await request({ key, sendId: first });
    const second = (await request({ key })).sendId;
    const other = (await request()).sendId;
    await until(() => held.length === 1);
    await settled(other, 'accepted');
    expect(callsOf(second)).toEqual([]);
    held[0]!();
    await settled(second, 'accepted');
    const order = calls.map((call) => call.sendId);
    expect(order.indexOf(first)).toBeLessThan(order.indexOf(second));
  });
});

describe('a call without an answer', () => {
  it('is unknown, is proven by a status, and is never made again', async () => {
    const sendId = randomUUID();
    plans.set(sendId, say);
    const { key } = await request({ sendId });
    await until(async () => (await stateOf(sendId)) === 'unknown');
    expect(said(sendId).map(({ type }) => type)).toEqual(['attempted']);
    const messageRef = await status(sendId, key, 'wamid.PROOF');
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'accepted']);
    expect(said(sendId)[1]!.data).toMatchObject({ messageRef });
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('is proven also by a status that came before the answer was missed', async () => {
    const sendId = randomUUID();
    const held: ServerResponse[] = [];
    plans.set(sendId, (response) => void held.push(response));
    const { key } = await request({ sendId });
    await until(() => held.length === 1);
    const messageRef = await status(sendId, key, 'wamid.EARLY');
    await settled(sendId, 'accepted');
    expect(said(sendId).find(({ type }) => type === 'accepted')!.data).toMatchObject({ messageRef });
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('does not hold up the next reply', async () => {
    const key = randomUUID();
    const sendId = randomUUID();
    plans.set(sendId, say);
    await request({ key, sendId });
    const next = await request({ key });
    await settled(next.sendId, 'accepted');
  });

  it('is unresolved after a time, and a late status still tells the truth', async () => {
    const sendId = randomUUID();
    plans.set(sendId, say);
    const { key } = await request({ sendId });
    await until(async () => (await stateOf(sendId)) === 'unknown');
    await fixture.db.withTenant(tenantId, (tx) =>
      tx.execute(`update send set attempted_at = now() - interval '1 hour' where send_id = $1`, [sendId]),
    );
    expect(await settled(sendId, 'unresolved')).toEqual(['attempted', 'unresolved']);
    await until(async () => (await stateOf(sendId)) === 'unresolved');
    await status(sendId, key, 'wamid.LATE');
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'unresolved', 'accepted']);
    expect(callsOf(sendId)).toHaveLength(1);
  });
});

describe('a restored database', () => {
  it('learns from the log which calls were made, before the first call', async () => {
    // given replies that were sent, and a database from before
    const accepted = await request();
    await settled(accepted.sendId, 'accepted');
    const unknown = randomUUID();
    plans.set(unknown, say);
    const { key, event } = await request({ sendId: unknown });
    await until(async () => (await stateOf(unknown)) === 'unknown');
    await sender.close();
    const made = calls.length;
    await fixture.db.withTenant(tenantId, (tx) => tx.execute('delete from send'));
    await fixture.db.system((tx) => tx.execute('update ledger_position set next_offset = 0'));

    // when the sender starts again, and the request comes again too
    expect(await rebuildLedger(fixture.db, log)).toBeGreaterThan(0);
    expect([await stateOf(accepted.sendId), await stateOf(unknown)]).toEqual(['accepted', 'unknown']);
    expect(await rebuildLedger(fixture.db, log)).toBe(0);
    sender = await startSender();
    await append('conversation.events.v1', 'conversation.reply.requested.v1', key, event.data, true);
    await settled((await request()).sendId, 'accepted');

    // then nothing was called twice, and what was unknown can still be proven
    expect(calls.length).toBe(made + 1);
    await status(unknown, key, 'wamid.PROVEN');
    await settled(unknown, 'accepted');
    expect(callsOf(unknown)).toHaveLength(1);
  });
});

describe('an erasure', () => {
  it('makes the directory forget the person', async () => {
    const subjectId = randomUUID();
    await fixture.db.withTenant(tenantId, (tx) =>
      tx.execute(
        `insert into identity (tenant_id, kind, blind_index, since, subject_id) values ($1, 'bsuid', 'x', '-infinity', $2)`,
        [tenantId, subjectId],
      ),
    );
    const data = {
      erasureId: randomUUID(),
      contactId: randomUUID(),
      subjectIds: [subjectId],
      startedAt: new Date().toISOString(),
    };
    await append('conversation.events.v1', 'subject.erasure.started.v1', subjectId, data, true);
    await until(async () => {
      const rows = await fixture.db.withTenant(tenantId, (tx) =>
        tx.query('select 1 from identity where subject_id = $1', [subjectId]),
      );
      return rows.length === 0;
    });
  });
});
