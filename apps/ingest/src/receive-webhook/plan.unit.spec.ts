import { createSecretKey, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { encodeEvent, schemaUri, type CloudEvent } from '@centralita/contracts';
import { canonicalText, referencesOf } from '@centralita/keyring';
import { parseWebhook, type WebhookItem } from '@centralita/whatsapp';
import fc from 'fast-check';
import type { MetaApp } from '../apps.js';
import { abridge } from './abridge.js';
import { MAX_ITEM_BYTES } from './contents.js';
import type { Draft, Surroundings } from './draft.js';
import { planOf } from './plan.js';

const NUMBER = '106540352242922';
const key = createSecretKey(Buffer.alloc(32, 7));
const app: MetaApp = {
  app: 'blue',
  tenantId: '00000000-0000-4000-8000-00000000000a',
  verifyToken: 'v',
  secrets: { current: key },
  accessToken: 't',
  phoneNumberIds: new Set([NUMBER]),
  wabaIds: new Set(['waba']),
};
const around: Surroundings = {
  app,
  references: referencesOf(key),
  receivedAt: new Date('2026-11-23T10:00:00Z'),
  unattributed: () => '00000000-0000-4000-8000-0000000000ff',
  texts: new Map(),
};
const itemsOf = (change: unknown): readonly WebhookItem[] => {
  const body = { object: 'whatsapp_business_account', entry: [{ id: 'waba', changes: [change] }] };
  const webhook = parseWebhook(Buffer.from(JSON.stringify(body)));
  return 'problem' in webhook ? [] : webhook.items;
};
const subjects = [randomUUID(), randomUUID(), randomUUID()];
/** The event as it would be appended, and what was drafted. */
const record = (item: WebhookItem): { draft: Draft; event: CloudEvent } => {
  const draft = planOf(around, item, undefined).draft(subjects);
  const { id, time, type, key: subject } = draft;
  const sealed = draft.canonical === null ? null : { id, subject, schema: draft.schema, kid: 'k', nonce: 'n', ct: 'c' };
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: '/centralita/ingest',
    type,
    time,
    subject,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: app.tenantId,
    recordedtime: time,
    correlationid: id,
    causationid: null,
    data: { ...draft.data, sealed },
  };
  encodeEvent(event);
  return { draft, event };
};

// Values as a provider that has gone mad might send them: halves of emoji, control characters, numbers without end.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ maxLength: 4 }).map((some) => `${some}\ud83d\u0000`),
  fc.constantFrom(
    '34600000001',
    'ES.1',
    'US.ENT.1',
    '1790000000',
    'text',
    'image',
    'system',
    'user_changed_number',
    'group',
    'call',
  ),
);
const scalar = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null));
const part = fc.dictionary(
  fc.oneof(fc.constantFrom('id', 'type', 'wa_id', 'user_id', 'code', 'message_id', 'mime_type', 'sha256'), text),
  scalar,
  {
    maxKeys: 4,
  },
);
const names = fc.constantFrom(
  ...['id', 'from', 'from_user_id', 'to', 'timestamp', 'type', 'group_id', 'status', 'recipient_id', 'recipient_type', 'event'],
  ...['context', 'image', 'system', 'referral', 'reaction', 'pricing', 'conversation', 'errors', 'biz_opaque_callback_data'],
  ...['recipient_participant_id', 'direction', 'category', 'value', 'wa_id', 'user_id'],
);
const member = fc.oneof({ weight: 3, arbitrary: scalar }, part, fc.array(part, { maxLength: 2 }));
// Whoever names somebody and says what it is gets as far as an event.
const named = { id: text, type: text, status: text, event: text, category: text, value: text };
const people = fc.constantFrom({ from: '34600000001', to: 'ES.2', wa_id: '1' }, { from: 'ES.1', recipient_id: '34600000002' });
const element = fc
  .tuple(fc.record(named), people, fc.dictionary(names, member, { maxKeys: 8 }))
  .map(([what, who, more]): Record<string, unknown> => ({ ...what, ...who, ...more }));
const change = fc.record({
  field: fc.constantFrom(
    'messages',
    'calls',
    'smb_message_echoes',
    'user_preferences',
    'user_id_update',
    'account_update',
    'new\ud83d',
  ),
  value: fc.record({
    metadata: fc.constant({ phone_number_id: NUMBER }),
    contacts: fc.array(part, { maxLength: 2 }),
    ...Object.fromEntries(
      ['messages', 'statuses', 'calls', 'message_echoes', 'user_preferences', 'user_id_update'].map((name) => [
        name,
        fc.array(element, { maxLength: 2 }),
      ]),
    ),
  }),
});

describe('any item', () => {
  it('becomes an event that keeps its contract, the same each time', () => {
    fc.assert(
      fc.property(change, (sent) => {
        for (const item of itemsOf(sent)) {
          const { draft, event } = record(item);
          const again = record(
            itemsOf(sent)[itemsOf(sent).findIndex((other) => JSON.stringify(other) === JSON.stringify(item))]!,
          );
          expect(again.event.id).toBe(event.id);
          expect(again.draft.canonical).toBe(draft.canonical);
          expect(canonicalText(JSON.parse(draft.canonical ?? 'null'))).toBe(draft.canonical ?? 'null');
        }
      }),
      { numRuns: 100 },
    );
  });
});

const message = (more: Record<string, unknown>) => ({
  id: 'wamid.X',
  from: '34600000001',
  from_user_id: 'ES.1',
  timestamp: '1790000000',
  ...more,
});
const oneOf = (field: string, value: Record<string, unknown>): WebhookItem =>
  itemsOf({ field, value: { metadata: { phone_number_id: NUMBER }, ...value } })[0] as WebhookItem;

describe('an item too big for a record', () => {
  const words = 'mañana '.repeat(MAX_ITEM_BYTES / 7);
  const big = () =>
    record(
      oneOf('messages', { messages: [message({ type: 'image', image: { caption: words, id: 'M1', mime_type: 'image/jpeg' } })] }),
    );

  it('stays what it is, with its beginning in the envelope and the whole in an object', () => {
    const { draft, event } = big();
    expect(event).toMatchObject({ type: 'whatsapp.message.received.v1', data: { media: { mimeType: 'image/jpeg' } } });
    const envelope = JSON.parse(draft.canonical ?? '') as { item: Record<string, unknown>; whole: Record<string, unknown> };
    expect(envelope.item).toMatchObject(message({ type: 'image', image: { id: 'M1', mime_type: 'image/jpeg' } }));
    expect((envelope.item['image'] as { caption: string }).caption).toBe(`${words.slice(0, 4096)}…`);
    const { object } = draft;
    expect(object?.key).toBe(`raw/${app.tenantId}/${subjects[0] ?? ''}/${event.id}`);
    expect(envelope.whole).toEqual({
      objectKey: object?.key,
      bytes: object?.bytes.length,
      sha256: around.references.digest(object?.bytes ?? Buffer.alloc(0)),
    });
    expect(JSON.parse(object?.bytes.toString() ?? '')).toMatchObject({ item: { image: { caption: words } } });
    const again = big().draft;
    expect([again.id, again.canonical === draft.canonical, again.object?.bytes.equals(object?.bytes ?? Buffer.alloc(0))]).toEqual(
      [draft.id, true, true],
    );
  });

  it('just below the limit is sealed whole', () => {
    const small = record(
      oneOf('messages', { messages: [message({ type: 'text', text: { body: 'x'.repeat(MAX_ITEM_BYTES - 1000) } })] }),
    );
    expect(small.draft.object).toBeNull();
    expect(small.draft.canonical).not.toContain('"whole"');
  });

  it('is kept whole for an account, as the history of a number comes', () => {
    const threads = Array.from({ length: 3000 }, (_, n) => ({
      id: `34600${n}`,
      messages: [{ text: { body: 'x'.repeat(300) } }],
    }));
    const { draft, event } = record(oneOf('history', { history: [{ metadata: { phase: 1 }, threads }] }));
    expect(event.type).toBe('whatsapp.account.changed.v1');
    expect((draft.canonical ?? '').length).toBeLessThan(110_000);
    expect(draft.object?.bytes.toString()).toContain('"id":"346002999"');
  });
});

describe('an abridged value', () => {
  it('is bounded and never fails, whatever comes', () => {
    const long = fc.string({ unit: 'binary', maxLength: 200 }).map((some) => some.repeat(500));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        long,
        scalar,
        fc.array(tie('tree')),
        fc.dictionary(fc.oneof(long, text), tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const short = abridge(value);
        expect(JSON.stringify(short).length).toBeLessThan(70_000);
      }),
      { numRuns: 50 },
    );
    let deep: unknown = 1;
    for (let n = 0; n < 100_000; n++) deep = [deep];
    expect(JSON.stringify(abridge(deep)).length).toBeLessThan(2000);
  });
});
