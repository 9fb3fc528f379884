import type { Place, RawObject, WebhookItem } from './items.js';
import {
  callItem,
  contactsOf,
  echoItem,
  errorItem,
  messageItem,
  preferenceItem,
  statusItem,
  unknownItem,
  userIdUpdateItem,
  withContact,
  type Surroundings,
} from './item-parsers.js';
import { AccountView, ChangeView, EntryView, EnvelopeView, instantOf, isObject, MetadataView } from './views.js';

export type ParsedWebhook = { readonly items: readonly WebhookItem[] } | { readonly problem: 'not_json' | 'not_envelope' };

/** Fields that concern the account or the number and no single customer, or many at once; kept whole. */
const ACCOUNT_FIELDS: ReadonlySet<string> = new Set([
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
]);

type ItemParser = (around: Surroundings, raw: unknown) => WebhookItem;

/** Fields whose values are lists of items; the lists are named by property. */
const ITEM_FIELDS: Readonly<Record<string, Readonly<Record<string, ItemParser>>>> = {
  messages: { messages: messageItem, statuses: statusItem, errors: errorItem },
  message_echoes: { message_echoes: echoItem, errors: errorItem },
  smb_message_echoes: { message_echoes: echoItem, errors: errorItem },
  calls: { calls: callItem, statuses: statusItem, errors: errorItem },
  user_preferences: { user_preferences: preferenceItem, errors: errorItem },
  user_id_update: { user_id_update: userIdUpdateItem, errors: errorItem },
};
const SURROUNDINGS: ReadonlySet<string> = new Set(['messaging_product', 'metadata', 'contacts']);

const itemsOfChange = (wabaId: string, entryTime: Date | null, raw: unknown): WebhookItem[] => {
  const nowhere: Place = { wabaId, field: '', phoneNumberId: null, displayPhoneNumber: null, entryTime };
  const change = ChangeView.safeParse(raw);
  if (!change.success)
    return [unknownItem({ place: nowhere, metadata: null, contacts: contactsOf(undefined), alone: true }, raw)];
  const field = change.data.field.toWellFormed();
  // The parsed value itself, not zod's copy: nothing may be lost or reordered.
  const value = (raw as { value: RawObject }).value;
  const metadata = isObject(value['metadata']) ? value['metadata'] : null;
  const named = MetadataView.parse(metadata ?? {});
  const lists = Object.hasOwn(ITEM_FIELDS, field) ? ITEM_FIELDS[field] : undefined;
  const elements = Object.keys(lists ?? {}).flatMap((name): unknown[] => (Array.isArray(value[name]) ? value[name] : []));
  const around: Surroundings = {
    place: {
      wabaId,
      field,
      phoneNumberId: named.phone_number_id ?? null,
      displayPhoneNumber: named.display_phone_number ?? null,
      entryTime,
    },
    metadata,
    contacts: contactsOf(value['contacts']),
    alone: elements.length === 1,
  };
  if (!lists) {
    if (!ACCOUNT_FIELDS.has(field)) return [unknownItem(around, value, 'unknown_field')];
    const view = AccountView.parse(value);
    const event = view.event ?? view.alert_type ?? view.decision ?? view.type ?? null;
    return [{ ...withContact(around, value, null), kind: 'account', event, at: entryTime }];
  }
  const items = Object.entries(value).flatMap(([name, list]): WebhookItem[] => {
    if (SURROUNDINGS.has(name)) return [];
    const parse = Object.hasOwn(lists, name) ? lists[name] : undefined;
    // A list that nobody knows is kept under its name.
    return parse && Array.isArray(list) ? list.map((element) => parse(around, element)) : [unknownItem(around, { [name]: list })];
  });
  return items.length > 0 ? items : [unknownItem(around, value)];
};

const itemsOfEntry = (raw: unknown): WebhookItem[] => {
  const entry = EntryView.safeParse(raw);
  if (entry.success)
    return entry.data.changes.flatMap((change) =>
      itemsOfChange(entry.data.id.toWellFormed(), instantOf(entry.data.time), change),
    );
  const wabaId = isObject(raw) && typeof raw['id'] === 'string' ? raw['id'].toWellFormed() : '';
  const place: Place = { wabaId, field: '', phoneNumberId: null, displayPhoneNumber: null, entryTime: null };
  return [unknownItem({ place, metadata: null, contacts: contactsOf(undefined), alone: true }, raw)];
};

/**
 * Every item of every change of every entry. Liberal: what is not understood comes back as `unknown` with its raw value, and only
 * bytes that are no JSON or no envelope are a problem of the whole.
 */
export const parseWebhook = (body: Buffer): ParsedWebhook => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return { problem: 'not_json' };
  }
  const envelope = EnvelopeView.safeParse(json);
  if (!envelope.success) return { problem: 'not_envelope' };
  return { items: envelope.data.entry.flatMap(itemsOfEntry) };
};
