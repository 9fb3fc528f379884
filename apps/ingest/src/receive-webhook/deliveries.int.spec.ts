import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import {
  blue,
  bodyOf,
  inbound,
  keyStateOf,
  messages,
  NUMBER,
  opened,
  phoneOf,
  post,
  recorded,
  setUp,
  sign,
  start,
  tearDown,
  text,
  value,
  waba,
} from './harness.spec.js';
import { MAX_BODY_BYTES } from './start.js';

beforeAll(setUp);
afterAll(tearDown);

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
    expect(await keyStateOf(group.tenantid, group.subject)).toBe('live');
    expect(events.find(({ data }) => (data as { media?: unknown }).media)!.data).toMatchObject({
      referral: true,
      media: { mimeType: 'image/jpeg', sha256: 'ab', voice: false },
    });
    for (const event of events) expect(await opened(event)).toMatchObject({ state: 'open' });
  });
});
