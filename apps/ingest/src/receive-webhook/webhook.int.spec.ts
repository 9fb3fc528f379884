import { createSecretKey, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { createLogger } from '@centralita/platform-nest';
import { makeWamid, signBody } from '@centralita/whatsapp';
import { FolderStore } from '../object-store/folder.js';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture } from '../support.spec.js';
import { MAX_BODY_BYTES, startWebhook, type RunningWebhook } from './start.js';

const NUMBER = '106540352242922';
const blue = testApp('blue', NUMBER);
const red = testApp('red', '106540352242933');
const [waba] = blue.numbers.map((number) => number.wabaId);

let fixture: IngestFixture;
let log: MemoryLog;
let webhook: RunningWebhook;
let url: string;

const start = async (overrides: { env?: Record<string, string>; log?: MemoryLog } = {}): Promise<RunningWebhook> =>
  startWebhook(
    {
      INGEST_ROLE: 'webhook',
      KAFKA_BROKERS: '127.0.0.1:1',
      DATABASE_URL: fixture.database.appUrl,
      KEYRING_DATABASE_URL: fixture.keyringDatabase.appUrl,
      KEYRING_MASTER_KEY: fixture.masterKey.toString('base64'),
      APPS_FILE: await writeApps(fixture.folder, [blue, red]),
      MEDIA_DIR: fixture.folder,
      ...overrides.env,
    },
    { log: overrides.log ?? log, logger: createLogger({ service: 'ingest', level: 'silent' }) },
  );

beforeAll(async () => {
  fixture = await ingestFixture();
  log = createMemoryLog();
  webhook = await start();
  url = `http://127.0.0.1:${webhook.port}/webhooks`;
});
afterAll(async () => {
  await webhook.drain.drain('test');
  await fixture.close();
});

const phoneOf = (n: number): string => `34600${String(n).padStart(6, '0')}`;
let customers = 0;
const text = (extra: Record<string, unknown> = {}): Record<string, unknown> => {
  const phone = phoneOf(++customers);
  return {
    id: makeWamid(phone, Buffer.from(randomUUID())),
    from: phone,
    from_user_id: `ES.${phone}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: 'text',
    text: { body: '¿Mañana? 👋' },
    ...extra,
  };
};
const value = (extra: Record<string, unknown>, phoneNumberId = NUMBER): Record<string, unknown> => ({
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: '34910000001', phone_number_id: phoneNumberId },
  ...extra,
});
const bodyOf = (changes: readonly unknown[], wabaId = waba): Buffer =>
  Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: wabaId, changes }] }));
const messages = (...items: unknown[]): Buffer => bodyOf([{ field: 'messages', value: value({ messages: items }) }]);
const statuses = (...items: unknown[]): Buffer => bodyOf([{ field: 'messages', value: value({ statuses: items }) }]);
const sign = (body: Buffer, secret = blue.secrets.current): string => signBody(body, createSecretKey(secret, 'utf8'));
const post = async (body: Buffer, headers: Record<string, string> = {}, app = 'blue', at = url): Promise<Response> =>
  fetch(`${at}/${app}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(body), ...headers },
  });
const inbound = (): CloudEvent[] => eventsOn(log, 'wa.inbound.v1');
/** Events that a delivery puts on the log, and the answer's status. */
const recorded = async (body: Buffer, app = blue): Promise<{ status: number; events: CloudEvent[] }> => {
  const before = new Map<string, number>();
  for (const { id } of inbound()) before.set(id, (before.get(id) ?? 0) + 1);
  const { status } = await post(body, { 'x-hub-signature-256': sign(body, app.secrets.current) }, app.app);
  const events = inbound().filter(({ id }) => {
    const seen = before.get(id) ?? 0;
    if (seen > 0) before.set(id, seen - 1);
    return seen === 0;
  });
  return { status, events };
};
const opened = async (event: CloudEvent): Promise<unknown> => {
  const { sealed } = event.data as { sealed: { subject: string } };
  const keys = await fixture.keyring.sealer(event.tenantid, [sealed.subject]);
  return keys.open(sealed as Parameters<typeof keys.open>[0]);
};

describe('the handshake', () => {
  const ask = (query: string, app = 'blue') => fetch(`${url}/${app}?${query}`);

  it('answers the bare challenge to whoever has the token of that app', async () => {
    const answer = await ask('hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-blue');
    expect([answer.status, await answer.text()]).toEqual([200, '1158201444']);
  });

  it.each([
    ['hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-red', 'blue', 403],
    ['hub.mode=subscribe&hub.challenge=1', 'blue', 400],
    ['hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=verify-blue', 'blue', 400],
    ['hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-blue', 'green', 404],
  ])('refuses %s of %s', async (query, app, status) => {
    expect((await ask(query, app)).status).toBe(status);
  });
});

describe('a forged delivery', () => {
  it.each([
    ['by another secret', (body: Buffer) => sign(body, 'guess')],
    ['by the secret of another app', (body: Buffer) => sign(body, red.secrets.current)],
    ['of other bytes', () => sign(Buffer.from('{}'))],
    ['malformed', () => 'sha256=abc'],
  ])('signed %s is 401 and leaves nothing', async (_, signature) => {
    const body = messages(text());
    const before = inbound().length;
    expect((await post(body, { 'x-hub-signature-256': signature(body) })).status).toBe(401);
    expect(inbound()).toHaveLength(before);
  });

  it('without signature, or with two, is 401', async () => {
    const body = messages(text());
    const before = inbound().length;
    const status = async (headers: string[]): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = webhook;
        const options = {
          port,
          path: '/webhooks/blue',
          method: 'POST',
          headers: ['host', 'x', 'content-length', String(body.length), ...headers],
        };
        const sent = httpRequest(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        sent.on('error', reject).end(body);
      });
    const good = ['X-Hub-Signature-256', sign(body)];
    expect(await status([])).toBe(401);
    expect(await status([...good, ...good])).toBe(401);
    expect(inbound()).toHaveLength(before);
    // without a content type the bytes are read all the same
    expect(await status(good)).toBe(200);
    expect(inbound()).toHaveLength(before + 1);
  });

  it('is counted', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${webhook.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/webhook_signature_failures_total\{app="blue".*\} [1-9]/);
    expect(metrics).not.toMatch(/34600\d/);
  });
});

describe('a delivery', () => {
  it('signed by the previous secret is taken', async () => {
    const body = messages(text());
    expect((await post(body, { 'x-hub-signature-256': sign(body, 'previous-blue') })).status).toBe(200);
  });

  it('of any content type is judged by its bytes', async () => {
    for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/octet-stream']) {
      const body = messages(text());
      expect((await post(body, { 'content-type': type })).status).toBe(200);
    }
  });

  it('above 3 MiB is 413, just below it is taken', async () => {
    const before = inbound().length;
    const tooBig = Buffer.alloc(MAX_BODY_BYTES + 1, 0x20);
    expect((await post(tooBig)).status).toBe(413);
    expect(inbound()).toHaveLength(before);
    const padded = Buffer.concat([messages(text()), Buffer.alloc(MAX_BODY_BYTES, 0x20)]).subarray(0, MAX_BODY_BYTES);
    expect((await recorded(padded)).events).toHaveLength(1);
  });

  it('for an app that nobody configured is 404', async () => {
    expect((await post(messages(text()), {}, 'green')).status).toBe(404);
  });

  it('is on the log before it is answered, sealed, on the key of its subject', async () => {
    const item = text();
    const { status, events } = await recorded(messages(item));
    expect(status).toBe(200);
    const [event] = events as [CloudEvent];
    expect(event).toMatchObject({ type: 'whatsapp.message.received.v1', tenantid: blue.tenantId, causationid: null });
    expect(event.data).toMatchObject({
      app: 'blue',
      wabaId: waba,
      phoneNumberId: NUMBER,
      messageType: 'text',
      subjectId: event.subject,
      group: false,
      participant: '-',
      addressKind: 'phone',
      marketHint: { country: 'ES', prefix: '3460' },
      contextRef: null,
      media: null,
      referral: false,
    });
    expect(await opened(event)).toMatchObject({
      state: 'open',
      value: { item, contact: null, metadata: { phone_number_id: NUMBER } },
    });
    const bytes = JSON.stringify(event);
    for (const personal of [
      item['from'],
      item['id'],
      'Mañana',
      Buffer.from(String(item['from'])).toString('base64').slice(0, 12),
    ])
      expect(bytes).not.toContain(String(personal));
  });

  it('that comes again has the same ids and the same contents, also in another process', async () => {
    const body = messages(text(), text({ from_user_id: undefined }), text({ from: undefined }));
    const first = (await recorded(body)).events;
    const other = await start();
    const before = inbound();
    expect((await post(body, {}, 'blue', `http://127.0.0.1:${other.port}/webhooks`)).status).toBe(200);
    await other.drain.drain('test');
    const again = inbound().filter(
      (event) => !before.some(({ id, recordedtime }) => id === event.id && recordedtime === event.recordedtime),
    );
    const facts = (events: CloudEvent[]) =>
      new Map(events.map(({ id, type, subject, data, time }) => [id, { type, subject, data, time }]));
    expect(facts(again)).toEqual(facts(first));
    expect(first).toHaveLength(3);
  });

  it('of a thousand items is recorded whole', async () => {
    const { status, events } = await recorded(messages(...Array.from({ length: 1000 }, () => text())));
    expect(status).toBe(200);
    expect(new Set(events.map(({ id }) => id)).size).toBe(1000);
  });

  it('keeps the order of each customer', async () => {
    const from = phoneOf(999_999);
    const album = Array.from({ length: 10 }, (_, n) => text({ from, from_user_id: `ES.${from}`, text: { body: String(n) } }));
    await post(messages(...album.slice(0, 5)));
    await post(messages(...album.slice(5)));
    const subject = (await recorded(messages(text({ from, from_user_id: `ES.${from}` })))).events[0]!.subject;
    const stored = await Promise.all(
      inbound()
        .filter((event) => event.subject === subject)
        .map(opened),
    );
    const bodies = stored.map((plain) => (plain as { value: { item: { text: { body: string } } } }).value.item.text.body);
    expect(bodies.slice(0, 10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('is recorded by its type', async () => {
    const contact = (who: Record<string, unknown>) => ({ wa_id: who['from'], user_id: who['from_user_id'] });
    const one = text();
    const media = { image: { id: 'M1', mime_type: 'image/jpeg', sha256: 'ab' } };
    const changes = [
      {
        field: 'messages',
        value: value({ messages: [text({ group_id: 'G1' }), text({ type: 'image', ...media, referral: {} })] }),
      },
      { field: 'messages', value: value({ messages: [text({ context: { id: one['id'] } })], errors: [{ code: 131000 }] }) },
      {
        field: 'messages',
        value: value({ messages: [text({ type: 'system', system: { type: 'user_changed_number', wa_id: '34699000001' } })] }),
      },
      {
        field: 'calls',
        value: value({
          calls: [
            {
              id: 'wacid.1',
              event: 'connect',
              direction: 'USER_INITIATED',
              ...contact(one),
              from: one['from'],
              timestamp: '1790000000',
            },
          ],
        }),
      },
      { field: 'smb_message_echoes', value: value({ message_echoes: [{ ...text(), to: one['from'] }] }) },
      {
        field: 'user_preferences',
        value: value({ user_preferences: [{ ...contact(one), category: 'marketing_messages', value: 'stop' }] }),
      },
      {
        field: 'user_id_update',
        value: value({ user_id_update: [{ wa_id: one['from'], user_id: { previous: one['from_user_id'], current: 'ES.9' } }] }),
      },
      { field: 'account_update', value: { event: 'ACCOUNT_VIOLATION' } },
      { field: 'field_of_tomorrow', value: { anything: 1 } },
    ];
    const { events } = await recorded(bodyOf(changes));
    expect(events.map(({ type }) => type).sort()).toEqual([
      'whatsapp.account.changed.v1',
      'whatsapp.account.changed.v1',
      'whatsapp.call.changed.v1',
      'whatsapp.echo.received.v1',
      'whatsapp.identity.changed.v1',
      'whatsapp.identity.changed.v1',
      'whatsapp.message.received.v1',
      'whatsapp.message.received.v1',
      'whatsapp.message.received.v1',
      'whatsapp.preference.changed.v1',
      'whatsapp.unknown.received.v1',
    ]);
    const group = events.find(({ data }) => (data as { group?: boolean }).group)!;
    expect(group.subject).not.toBe((group.data as { subjectId: string }).subjectId);
    expect((group.data as { sealed: { subject: string } }).sealed.subject).toBe((group.data as { subjectId: string }).subjectId);
    expect((group.data as { participant: string }).participant).toMatch(/^.{22}$/);
    expect(events.find(({ data }) => (data as { media?: unknown }).media)!.data).toMatchObject({
      referral: true,
      media: { mimeType: 'image/jpeg', sha256: 'ab', voice: false },
    });
    for (const event of events) expect(await opened(event)).toMatchObject({ state: 'open' });
  });
});

describe('a status', () => {
  const insertSend = async (row: { sendId: string; key: string; messageRef?: string }): Promise<void> => {
    await fixture.db.withTenant(blue.tenantId, (tx) =>
      tx.query(
        `insert into send (tenant_id, send_id, reply_id, conversation_id, key, phone_number_id, kind, send_before, state, message_ref, country, prefix)
         values ($1, $2, gen_random_uuid(), gen_random_uuid(), $3, $4, 'text', now(), 'attempted', $5, 'PT', '3519')`,
        [blue.tenantId, row.sendId, row.key, NUMBER, row.messageRef ?? null],
      ),
    );
  };
  const status = (extra: Record<string, unknown>) => ({
    id: `wamid.${randomUUID()}`,
    status: 'sent',
    timestamp: '1790000000',
    ...extra,
  });
  const subjects = async (): Promise<number> => {
    const rows = await fixture.db.withTenant(blue.tenantId, (tx) => tx.query('select distinct subject_id from identity'));
    return rows.length;
  };
  const givenSend = async (messageRef?: string) => {
    const customer = text();
    const key = (await recorded(messages(customer))).events[0]!.subject;
    const sendId = randomUUID();
    await insertSend({ sendId, key, ...(messageRef === undefined ? {} : { messageRef }) });
    return { key, sendId };
  };

  it('belongs to the send that it names, and makes nobody', async () => {
    const { key, sendId } = await givenSend();
    const before = await subjects();
    // The provider spells the number in another way, or names nobody at all.
    const { events } = await recorded(
      statuses(
        status({ biz_opaque_callback_data: sendId, recipient_id: '5511987654321' }),
        status({ biz_opaque_callback_data: sendId }),
      ),
    );
    expect(events.map((event) => event.subject)).toEqual([key, key]);
    expect(events[1]!.data).toMatchObject({ sendId, participant: '-', marketHint: { country: 'PT', prefix: '3519' } });
    expect(await subjects()).toBe(before);
  });

  it('is found by the message when it does not name the send', async () => {
    const references = await fixture.keyring.references(blue.tenantId);
    const wamid = `wamid.${randomUUID()}`;
    const { key } = await givenSend(references.messageRef(NUMBER, wamid));
    const { events } = await recorded(
      statuses(status({ id: wamid, recipient_id: '5511987654321', biz_opaque_callback_data: 'another app' })),
    );
    expect(events).toMatchObject([{ subject: key, data: { sendId: null } }]);
  });

  it('of a message that we did not send belongs to its recipient', async () => {
    const customer = text();
    const { subject } = (await recorded(messages(customer))).events[0]!;
    const { events } = await recorded(
      statuses(status({ recipient_id: customer['from'], pricing: { category: 'x'.repeat(80) } })),
    );
    expect(events).toMatchObject([
      { type: 'whatsapp.status.changed.v1', subject, data: { pricing: { category: 'x'.repeat(64) } } },
    ]);
  });

  it('of nobody’s message to nobody is kept as unknown', async () => {
    const { events } = await recorded(statuses(status({ status: 'failed', errors: [{ code: 131026 }] })));
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: 'unknown_item' } }]);
  });

  it('of each reader of a group message is a fact of its own', async () => {
    const { key, sendId } = await givenSend();
    const id = 'wamid.GROUP';
    const readers = ['ES.901', 'ES.902', 'ES.903', 'ES.904', 'ES.905'].map((reader) =>
      status({
        id,
        status: 'read',
        recipient_type: 'group',
        recipient_id: 'G7',
        recipient_participant_user_id: reader,
        biz_opaque_callback_data: sendId,
      }),
    );
    const { events } = await recorded(statuses(...readers));
    expect(new Set(events.map((event) => event.id)).size).toBe(5);
    expect(new Set(events.map((event) => (event.data as { participant: string }).participant)).size).toBe(5);
    expect(events.every((event) => event.subject === key)).toBe(true);
  });
});

describe('what is not understood', () => {
  it.each([
    ['not_json', Buffer.from('{"object":')],
    ['not_envelope', Buffer.from('{"object":"page","entry":[]}')],
    ['not_envelope', Buffer.from('['.repeat(200_000))],
  ])('is kept as it came and answered 200 (%s)', async (reason, body) => {
    const known = body[0] === 0x5b ? 'not_json' : reason;
    const { status, events } = await recorded(body);
    expect(status).toBe(200);
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: known, bytes: body.length } }]);
    expect(await opened(events[0]!)).toEqual({ state: 'open', value: { base64: body.toString('base64') } });
    // The same bytes are the same fact.
    expect((await recorded(body)).events.map(({ id, data }) => [id, data])).toEqual(events.map(({ id, data }) => [id, data]));
  });

  it('and too big for a record goes to the object store first', async () => {
    const body = Buffer.from(`{"object":"page","pad":"${'x'.repeat(300_000)}"}`);
    const [event] = (await recorded(body)).events as [CloudEvent];
    const data = event.data as { sealed: unknown; objectKey: string; bytes: number };
    expect(data).toMatchObject({ sealed: null, bytes: body.length });
    const [, , subject] = data.objectKey.split('/') as [string, string, string];
    const keys = await fixture.keyring.sealer(blue.tenantId, [subject]);
    const stored = await new FolderStore(fixture.folder).get(data.objectKey);
    expect(keys.openBytes(subject, data.objectKey, stored!)).toEqual({ state: 'open', bytes: body });
  });

  it('as an item too big for a record is kept too', async () => {
    const { status, events } = await recorded(messages(text({ text: { body: 'x'.repeat(300_000) } })));
    expect(status).toBe(200);
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: 'unknown_item', sealed: null } }]);
  });

  it('in an element cut inside an emoji is readable all the same', async () => {
    const body = Buffer.from(
      messages(text({ text: { body: 'HALF' } }))
        .toString()
        .replace('HALF', 'half \\ud83d'),
    );
    const [event] = (await recorded(body)).events as [CloudEvent];
    expect(event.type).toBe('whatsapp.message.received.v1');
    expect(await opened(event)).toMatchObject({
      value: { item: { text: { body: 'half \ufffd' } }, raw: expect.stringContaining('\\ud83d') },
    });
  });
});

describe('tenants', () => {
  it('cannot write into each other, whoever signs', async () => {
    // given a delivery of the red app, rightly signed, about the number of the blue one
    const body = messages(text());
    const { status, events } = await recorded(body, red);
    expect(status).toBe(200);
    expect(events).toMatchObject([
      { type: 'whatsapp.unknown.received.v1', tenantid: red.tenantId, data: { reason: 'unregistered_account', app: 'red' } },
    ]);
    expect(await opened(events[0]!)).toMatchObject({ state: 'open' });
    const account = bodyOf([{ field: 'account_update', value: { event: 'X' } }], waba);
    expect((await recorded(account, red)).events).toMatchObject([
      { tenantid: red.tenantId, data: { reason: 'unregistered_account' } },
    ]);
  });
});

describe('erasure', () => {
  it('gives a person who writes again a new subject', async () => {
    const customer = text();
    const [before] = (await recorded(messages(customer))).events as [CloudEvent];
    // given that this process has the subject in its caches; the lease is over when the key is asked for again
    const other = await start();
    await fixture.db.withTenant(blue.tenantId, (tx) =>
      tx.execute('delete from identity where subject_id = $1', [before.subject]),
    );
    await fixture.keyring.setState(blue.tenantId, before.subject, 'closing');
    const seen = inbound().length;
    const body = messages({ ...customer, id: 'wamid.AGAIN' });
    expect((await post(body, {}, 'blue', `http://127.0.0.1:${other.port}/webhooks`)).status).toBe(200);
    await other.drain.drain('test');
    expect(inbound()).toHaveLength(seen + 1);
    expect(inbound().filter(({ subject }) => subject === before.subject)).toHaveLength(1);
  });
});

describe('a log that is away', () => {
  it('is 503 at once when it says so, and the redelivery is harmless', async () => {
    const body = messages(text());
    const before = inbound().length;
    log.failAppends('LOG_UNAVAILABLE');
    const answer = await post(body);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(inbound()).toHaveLength(before);
    expect((await recorded(body)).events).toHaveLength(1);
  });

  it('is 503 within the budget when it says nothing', async () => {
    const silent = createMemoryLog();
    const released = Promise.withResolvers<void>();
    const hanging: MemoryLog = { ...silent, append: () => released.promise };
    const other = await start({ log: hanging, env: { WEBHOOK_BUDGET_MS: '200' } });
    const started = performance.now();
    expect((await post(messages(text()), {}, 'blue', `http://127.0.0.1:${other.port}/webhooks`)).status).toBe(503);
    expect(performance.now() - started).toBeLessThan(2000);
    released.resolve();
    await other.drain.drain('test');
  });

  it('is 503 also for a failure that would never pass', async () => {
    log.failAppends('RECORD_TOO_LARGE');
    expect((await post(messages(text()))).status).toBe(503);
  });
});
