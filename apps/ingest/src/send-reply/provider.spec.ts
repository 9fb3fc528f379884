import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeEvent, schemaUri, type CloudEvent, type EventData } from '@centralita/contracts';
import { createMemoryLog, eventRecord, type MemoryLog } from '@centralita/event-log';
import { startTestService, type TestService } from '@centralita/platform-nest/testing';
import { until as waitUntil, type UntilOptions } from '@centralita/testing-engines';
import type { SenderEnv } from '../config.js';
import { senderService } from '../services.js';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture } from '../support.spec.js';

/** Patient: a crowded machine is slow, and nothing here is about time. */
export const until = <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> =>
  waitUntil(condition, { timeoutMs: 40_000, ...options });

export const NUMBER = '106540352242922';
const app = testApp('blue', NUMBER);
export const { tenantId } = app;

export type Call = {
  readonly sendId: string;
  readonly to: string;
  readonly authorization: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
};
/** What the provider does with a call, by send id; without an entry it accepts. */
export const plans = new Map<string, (response: ServerResponse, call: Call) => void>();
export const calls: Call[] = [];
export const accept = (response: ServerResponse, call: Call): void =>
  void response.end(JSON.stringify({ messages: [{ id: `wamid.${call.sendId}` }] }));
export const refuse =
  (code: number) =>
  (response: ServerResponse): void =>
    void response.writeHead(400).end(JSON.stringify({ error: { code } }));
export const say = (response: ServerResponse): void => void response.destroy();

export let fixture: IngestFixture;
export let log: MemoryLog;
let provider: Server;
let sender: TestService<SenderEnv>;

export const stopSender = (): Promise<void> => sender.close();
export const startSender = async (): Promise<void> => {
  sender = await startTestService({
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
    },
  });
};

/** To be called in beforeAll and afterAll; every spec file has this module, and so a sender, of its own. */
export const setUp = async (): Promise<void> => {
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
  await startSender();
};
export const tearDown = async (): Promise<void> => {
  await stopSender();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
  await log.close();
  await fixture.close();
};

const versions = new Map<string, number>();
export const append = async (
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
export const request = async (wanted: Wanted = {}): Promise<{ sendId: string; key: string; event: CloudEvent }> => {
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
export const status = async (sendId: string, key: string, wamid: string): Promise<string> => {
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
export const said = (sendId: string): { type: string; data: Record<string, unknown>; id: string; event: CloudEvent }[] =>
  eventsOn(log, 'wa.outbound.v1')
    .filter(({ data }) => (data as { sendId?: string }).sendId === sendId)
    .map((event) => ({
      type: event.type.slice('whatsapp.reply.'.length, -'.v1'.length),
      data: event.data as Record<string, unknown>,
      id: event.id,
      event,
    }));
export const settled = async (sendId: string, last: string): Promise<string[]> => {
  await until(() => said(sendId).some(({ type }) => type === last), {
    describe: () =>
      `${last}; saw ${said(sendId)
        .map((s) => s.type)
        .join(', ')}`,
  });
  return said(sendId).map(({ type }) => type);
};
export const callsOf = (sendId: string): Call[] => calls.filter((call) => call.sendId === sendId);
export const stateOf = async (sendId: string): Promise<string | undefined> => {
  const rows = await fixture.db.withTenant(tenantId, (tx) =>
    tx.query<{ state: string }>('select state from send where send_id = $1', [sendId]),
  );
  return rows[0]?.state;
};
