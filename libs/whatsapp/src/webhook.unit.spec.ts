import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { WebhookItem } from './items.js';
import { parseWebhook } from './webhook.js';

const PHONE = '34600000001';
const BSUID = 'ES.13491208655302741918';
const metadata = { display_phone_number: '34910000001', phone_number_id: '106540352242922' };
const contact = { profile: { name: 'Ana' }, wa_id: PHONE, user_id: BSUID };

const envelope = (...changes: readonly unknown[]): Buffer =>
  Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: 'WABA', time: 1_790_000_000, changes }] }));
const itemsOf = (body: Buffer): readonly WebhookItem[] => {
  const parsed = parseWebhook(body);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.items;
};
const inField = (field: string, value: Record<string, unknown>): readonly WebhookItem[] =>
  itemsOf(envelope({ field, value: { messaging_product: 'whatsapp', metadata, ...value } }));
const only = (items: readonly WebhookItem[]): WebhookItem => {
  expect(items).toHaveLength(1);
  return items[0]!;
};
const message = (extra: Record<string, unknown>): Record<string, unknown> => ({
  id: 'wamid.A',
  timestamp: '1790000000',
  from: PHONE,
  from_user_id: BSUID,
  ...extra,
});
const received = (extra: Record<string, unknown>): WebhookItem =>
  only(inField('messages', { contacts: [contact], messages: [message(extra)] }));

const media = { mime_type: 'image/jpeg', sha256: 'abc', id: 'M1' };
const messageTypes: Record<string, Record<string, unknown>> = {
  text: { text: { body: '¿Qué tal? 👋' } },
  image: { image: { ...media, caption: 'foto' } },
  video: { video: { ...media, mime_type: 'video/mp4' } },
  audio: { audio: { ...media, mime_type: 'audio/ogg; codecs=opus', voice: true } },
  document: { document: { ...media, filename: 'factura.pdf' } },
  sticker: { sticker: { ...media, animated: false } },
  location: { location: { latitude: 40.4, longitude: -3.7 } },
  contacts: { contacts: [{ name: { formatted_name: 'Eva' }, phones: [{ phone: '+34 600' }] }] },
  button: { button: { payload: 'YES', text: 'Sí' }, context: { from: '34910000001', id: 'wamid.OUT' } },
  interactive: { interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{broken' } } },
  order: {
    order: { catalog_id: 'C', product_items: [{ product_retailer_id: 'P', quantity: 2, item_price: 9.5, currency: 'EUR' }] },
  },
  reaction: { reaction: { message_id: 'wamid.OUT', emoji: '👍' } },
  system: { system: { body: 'something new', type: 'a_type_of_tomorrow' } },
  edit: { edit: { original_message_id: 'wamid.B', message: { type: 'text', text: { body: 'mejor así' } } } },
  revoke: { revoke: { original_message_id: 'wamid.B' } },
  unsupported: { errors: [{ code: 131051, title: 'Message type unknown' }], unsupported: { type: 'poll' } },
  request_welcome: {},
  a_type_nobody_knows: { a_type_nobody_knows: { deep: [1, { x: null }] } },
};

describe('messages[]', () => {
  it.each(Object.entries(messageTypes))('reads type %s and keeps the element whole', (type, body) => {
    const item = received({ type, ...body });
    expect(item).toMatchObject({
      kind: 'message',
      wamid: 'wamid.A',
      type,
      wabaId: 'WABA',
      phoneNumberId: '106540352242922',
      at: new Date(1_790_000_000_000),
      sender: { phone: PHONE, bsuid: BSUID, parentBsuid: null },
      groupId: null,
      contact,
      metadata,
    });
    expect(item.raw).toEqual(message({ type, ...body }));
  });

  it('names the media, and the message that is quoted, reacted to, edited or revoked', () => {
    expect(received({ type: 'audio', ...messageTypes['audio'] })).toMatchObject({
      media: { providerMediaId: 'M1', mimeType: 'audio/ogg; codecs=opus', sha256: 'abc', voice: true },
    });
    expect(received({ type: 'image', image: { caption: 'no id' } })).toMatchObject({ media: null });
    for (const [type, expected] of Object.entries({
      button: 'wamid.OUT',
      reaction: 'wamid.OUT',
      edit: 'wamid.B',
      revoke: 'wamid.B',
    }))
      expect(received({ type, ...messageTypes[type] })).toMatchObject({ contextWamid: expected });
    expect(received({ type: 'text', context: { forwarded: true } })).toMatchObject({ contextWamid: null });
  });

  it('keeps errors beside a typed message, and knows a referral', () => {
    const item = received({ type: 'text', text: { body: 'x' }, errors: [{ code: 131052 }], referral: { source_type: 'ad' } });
    expect(item).toMatchObject({ kind: 'message', referral: true, raw: { errors: [{ code: 131052 }] } });
  });

  it.each(['user_changed_number', 'user_changed_user_id', 'customer_identity_changed'])(
    'reads system type %s as a change of identity',
    (type) => {
      const system = { body: 'changed', type, wa_id: '34600000002', user_id: 'ES.2' };
      expect(received({ type: 'system', system })).toMatchObject({
        kind: 'identity',
        change: type,
        wamid: 'wamid.A',
        previous: { phone: PHONE, bsuid: BSUID },
        current: { phone: '34600000002', bsuid: 'ES.2' },
      });
    },
  );

  it('classifies an identifier by its pattern, not by the name of its field', () => {
    const item = only(
      inField('messages', { messages: [{ id: 'w', type: 'text', from: 'US.ENT.118157', from_user_id: 'US.1' }] }),
    );
    expect(item).toMatchObject({ sender: { phone: null, bsuid: 'US.1', parentBsuid: 'US.ENT.118157' } });
  });

  it('has no sender but the one that it names when several senders share a change', () => {
    const value = {
      contacts: [contact],
      messages: [
        message({ type: 'text' }),
        message({ id: 'wamid.B', type: 'text', from: '34600000009', from_user_id: undefined }),
      ],
    };
    expect(inField('messages', value)).toMatchObject([
      { sender: { phone: PHONE, bsuid: BSUID }, contact },
      { sender: { phone: '34600000009', bsuid: null }, contact: null },
    ]);
  });

  it('takes a single contact for a single item although the spelling differs', () => {
    const spelled = { profile: { name: 'Bia' }, wa_id: '551187654321' };
    const item = only(inField('messages', { contacts: [spelled], messages: [{ id: 'w', type: 'text', from: '5511987654321' }] }));
    expect(item).toMatchObject({ sender: { phone: '5511987654321' }, contact: spelled });
  });

  it('reads a group message', () => {
    expect(received({ type: 'text', group_id: 'GROUP1' })).toMatchObject({ groupId: 'GROUP1', sender: { phone: PHONE } });
  });

  it.each([
    ['no id', { type: 'text', from: PHONE }],
    ['no type', { id: 'w', from: PHONE }],
    ['no sender', { id: 'w', type: 'text' }],
    ['no object', 'text'],
    ['null', null],
  ])('keeps an element with %s as unknown', (_, element) => {
    expect(only(inField('messages', { messages: [element] }))).toMatchObject({
      kind: 'unknown',
      reason: 'unknown_item',
      raw: element,
    });
  });
});

describe('statuses[]', () => {
  const status = (extra: Record<string, unknown>): WebhookItem =>
    only(inField('messages', { statuses: [{ id: 'wamid.OUT', timestamp: '1790000001', recipient_id: PHONE, ...extra }] }));

  it.each(['sent', 'delivered', 'read', 'failed', 'played', 'deleted', 'a_status_of_tomorrow'])('reads %s', (name) => {
    expect(status({ status: name })).toMatchObject({
      kind: 'status',
      wamid: 'wamid.OUT',
      status: name,
      recipient: { phone: PHONE },
    });
  });

  it('reads price, origin, callback data and error codes', () => {
    const item = status({
      status: 'delivered',
      recipient_user_id: BSUID,
      parent_recipient_user_id: 'ES.ENT.9',
      biz_opaque_callback_data: 'send-1',
      pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'service', subtype: 'paid_exempt' },
      conversation: { id: 'c', expiration_timestamp: '1790086400', origin: { type: 'referral_conversion' } },
      errors: [{ code: 131026, title: 'x' }, 'odd', { code: 'no number' }],
    });
    expect(item).toMatchObject({
      recipient: { phone: PHONE, bsuid: BSUID, parentBsuid: 'ES.ENT.9' },
      callbackData: 'send-1',
      pricing: { billable: true, model: 'PMP', type: 'regular', category: 'service', subtype: 'paid_exempt' },
      origin: { type: 'referral_conversion', expiresAt: new Date(1_790_086_400_000) },
      errorCodes: [131026],
    });
  });

  it('reads the participant of a group message', () => {
    const item = status({
      status: 'read',
      recipient_type: 'group',
      recipient_id: 'GROUP1',
      recipient_participant_user_id: BSUID,
    });
    expect(item).toMatchObject({ groupId: 'GROUP1', recipient: { phone: null, bsuid: BSUID } });
  });

  it('reads a status that names no recipient', () => {
    expect(status({ status: 'failed', recipient_id: undefined })).toMatchObject({
      kind: 'status',
      recipient: { phone: null, bsuid: null },
    });
  });
});

describe('the other fields with items', () => {
  it('reads calls, their statuses and their errors', () => {
    const items = inField('calls', {
      contacts: [contact],
      calls: [
        { id: 'wacid.1', event: 'connect', direction: 'USER_INITIATED', from: PHONE, to: '34910000001', timestamp: '1790000000' },
      ],
      statuses: [{ id: 'wacid.2', type: 'call', status: 'RINGING', recipient_user_id: BSUID, timestamp: '1790000000' }],
      errors: [{ code: 138006 }],
    });
    expect(items).toMatchObject([
      { kind: 'call', callId: 'wacid.1', event: 'connect', direction: 'USER_INITIATED', user: { phone: PHONE, bsuid: BSUID } },
      { kind: 'call', callId: 'wacid.2', event: 'status', status: 'RINGING', user: { bsuid: BSUID } },
      { kind: 'account', event: 'errors', raw: { code: 138006 } },
    ]);
  });

  it('takes the callee of a call that the business made', () => {
    const call = {
      id: 'wacid.1',
      event: 'terminate',
      direction: 'BUSINESS_INITIATED',
      from: '34910000001',
      to: PHONE,
      status: 'COMPLETED',
    };
    expect(only(inField('calls', { calls: [call] }))).toMatchObject({ user: { phone: PHONE }, status: 'COMPLETED', at: null });
  });

  it.each(['message_echoes', 'smb_message_echoes'])('reads %s, whose customer is the recipient', (field) => {
    const echo = { id: 'wamid.E', type: 'edit', from: '34910000001', to: PHONE, to_user_id: BSUID, timestamp: '1790000000' };
    expect(only(inField(field, { message_echoes: [echo] }))).toMatchObject({
      kind: 'echo',
      type: 'edit',
      recipient: { phone: PHONE, bsuid: BSUID },
    });
  });

  it('reads preferences', () => {
    const preference = { wa_id: PHONE, user_id: BSUID, category: 'marketing_messages', value: 'stop', timestamp: 1_790_000_000 };
    expect(only(inField('user_preferences', { user_preferences: [preference] }))).toMatchObject({
      kind: 'preference',
      category: 'marketing_messages',
      value: 'stop',
      user: { phone: PHONE, bsuid: BSUID },
    });
  });

  it('reads the rotation of a BSUID', () => {
    const update = { wa_id: PHONE, user_id: { previous: BSUID, current: 'ES.2' }, timestamp: '1790000000' };
    expect(only(inField('user_id_update', { user_id_update: [update] }))).toMatchObject({
      kind: 'identity',
      change: 'user_id_update',
      previous: { bsuid: BSUID, phone: PHONE },
      current: { bsuid: 'ES.2', phone: PHONE },
    });
  });
});

describe('account-level fields', () => {
  it.each([
    'account_alerts',
    'account_review_update',
    'account_settings_update',
    'account_update',
    'automatic_events',
    'business_capability_update',
    'business_status_update',
    'business_username_updates',
    'consumer_profile',
    'flows',
    'group_lifecycle_update',
    'group_participants_update',
    'group_settings_update',
    'group_status_update',
    'history',
    'message_template_components_update',
    'message_template_quality_update',
    'message_template_status_update',
    'messaging_handovers',
    'partner_solutions',
    'payment_configuration_update',
    'phone_number_name_update',
    'phone_number_quality_update',
    'security',
    'smb_app_state_sync',
    'standby',
    'template_category_update',
    'template_correct_category_detection',
    'tracking_events',
  ])('keeps %s whole', (field) => {
    const value = { event: 'SOMETHING', inner: { any: [1] } };
    expect(only(itemsOf(envelope({ field, value })))).toMatchObject({
      kind: 'account',
      field,
      event: 'SOMETHING',
      at: new Date(1_790_000_000_000),
      raw: value,
      phoneNumberId: null,
    });
  });

  it('keeps a field that nobody knows', () => {
    const value = { metadata, thing: 1 };
    expect(only(itemsOf(envelope({ field: 'field_of_tomorrow', value })))).toMatchObject({
      kind: 'unknown',
      reason: 'unknown_field',
      field: 'field_of_tomorrow',
      phoneNumberId: '106540352242922',
      raw: value,
    });
    expect(only(itemsOf(envelope({ field: 'constructor', value })))).toMatchObject({ kind: 'unknown', reason: 'unknown_field' });
  });
});

describe('the envelope', () => {
  it('gives every item of every change of every entry', () => {
    const change = { field: 'messages', value: { metadata, messages: [message({ type: 'text' }), message({ type: 'text' })] } };
    const entry = { id: 'WABA', changes: [change, change] };
    const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [entry, entry] }));
    expect(itemsOf(body)).toHaveLength(8);
  });

  it('drops nothing that it does not understand', () => {
    expect(only(inField('messages', { polls: [{ id: 1 }] }))).toMatchObject({ kind: 'unknown', raw: { polls: [{ id: 1 }] } });
    expect(only(inField('messages', { messages: 'odd' }))).toMatchObject({ kind: 'unknown', raw: { messages: 'odd' } });
    expect(only(inField('messages', {}))).toMatchObject({ kind: 'unknown', raw: { metadata } });
    expect(only(itemsOf(envelope('odd')))).toMatchObject({ kind: 'unknown', raw: 'odd' });
    expect(only(itemsOf(envelope({ field: 'messages' })))).toMatchObject({ kind: 'unknown' });
    const entries = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: 'W', messaging: [] }, 7] }));
    expect(itemsOf(entries)).toMatchObject([
      { kind: 'unknown', wabaId: 'W' },
      { kind: 'unknown', raw: 7 },
    ]);
  });

  it('has a platform error without a message', () => {
    expect(only(inField('messages', { errors: [{ code: 131000 }] }))).toMatchObject({ kind: 'account', event: 'errors' });
  });

  it('tells bytes that are no JSON from JSON that is no envelope', () => {
    expect(parseWebhook(Buffer.from('{'))).toEqual({ problem: 'not_json' });
    expect(parseWebhook(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ problem: 'not_json' });
    for (const other of ['null', '[]', '{"object":"page","entry":[]}', '{"object":"whatsapp_business_account"}'])
      expect(parseWebhook(Buffer.from(other))).toEqual({ problem: 'not_envelope' });
    expect(parseWebhook(Buffer.from('{"object":"whatsapp_business_account","entry":[]}'))).toEqual({ items: [] });
  });

  it('reads no time from what is none', () => {
    for (const timestamp of ['', 'soon', '-5', '99999999999999999', null, {}, 0, 1e300])
      expect(only(inField('messages', { messages: [message({ type: 'text', timestamp })] }))).toMatchObject({
        kind: 'message',
        at: null,
      });
    expect(only(inField('messages', { messages: [message({ type: 'text', timestamp: '1790000000123' })] }))).toMatchObject({
      at: new Date(1_790_000_000_123),
    });
  });

  it('never throws and never loses an element, whatever the JSON', () => {
    const field = fc.constantFrom('messages', 'calls', 'user_id_update', 'history', 'x');
    const value = fc.record({ messages: fc.array(fc.jsonValue()), statuses: fc.array(fc.jsonValue()), metadata: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(fc.record({ field, value })), (changes) => {
        const items = itemsOf(envelope(...changes));
        const expected = changes.reduce((sum, { field: name, value: { messages, statuses } }) => {
          if (name === 'messages') return sum + Math.max(1, messages.length + statuses.length);
          if (name === 'calls') return sum + 1 + statuses.length;
          return sum + (name === 'user_id_update' ? 2 : 1);
        }, 0);
        return items.length === expected;
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (json) => parseWebhook(Buffer.from(JSON.stringify(json))) !== undefined));
  });
});
