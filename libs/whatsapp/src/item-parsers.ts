import { identityOf, isAnonymous } from './identifiers.js';
import type { MediaPart, Place, RawObject, WebhookItem } from './items.js';
import {
  CallView,
  ContactView,
  instantOf,
  isObject,
  MediaView,
  MessageView,
  PreferenceView,
  StatusView,
  UserIdUpdateView,
} from './views.js';

const MEDIA_TYPES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'document', 'sticker']);
const IDENTITY_CHANGES: ReadonlySet<string> = new Set([
  'user_changed_number',
  'user_changed_user_id',
  'customer_identity_changed',
]);

/** The contacts[] of one change, and which of them names an identifier first; made when several items ask. */
export type Contacts = { readonly all: readonly RawObject[]; readonly byIdentifier: () => ReadonlyMap<string, number> };

export const contactsOf = (raw: unknown): Contacts => {
  const all = Array.isArray(raw) ? raw.filter(isObject) : [];
  let index: Map<string, number> | undefined;
  const byIdentifier = (): Map<string, number> => {
    if (index) return index;
    index = new Map();
    for (const [at, contact] of all.entries()) {
      const { wa_id, user_id } = ContactView.parse(contact);
      for (const id of [wa_id, user_id]) if (id !== undefined && !index.has(id)) index.set(id, at);
    }
    return index;
  };
  return { all, byIdentifier };
};

/** What surrounds the items of one change. */
export type Surroundings = {
  readonly place: Place;
  readonly metadata: RawObject | null;
  readonly contacts: Contacts;
  /** The change has one item, so that a single contact belongs to it whatever its spelling. */
  readonly alone: boolean;
};
type Common = Place & { metadata: RawObject | null; contact: RawObject | null; raw: unknown };

export const withContact = (around: Surroundings, raw: unknown, contact: RawObject | null): Common => ({
  ...around.place,
  metadata: around.metadata,
  contact,
  raw,
});

export const unknownItem = (
  around: Surroundings,
  raw: unknown,
  reason: 'unknown_field' | 'unknown_item' = 'unknown_item',
): WebhookItem => ({
  ...withContact(around, raw, null),
  kind: 'unknown',
  reason,
  at: around.place.entryTime,
});

/**
 * The contacts[] entry that names one of these identifiers. Spellings may differ (`wa_id` and `from` of some countries), so between
 * one contact and one item no name is needed; among several a guess would give one customer's identity to another.
 */
const contactOf = (around: Surroundings, identifiers: readonly (string | undefined)[]): RawObject | null => {
  const { all, byIdentifier } = around.contacts;
  if (all.length === 0) return null;
  if (around.alone && all.length === 1) return all[0] ?? null;
  const places = identifiers.flatMap((id) => (id === undefined ? [] : (byIdentifier().get(id) ?? [])));
  return places.length === 0 ? null : (all[Math.min(...places)] ?? null);
};

const identifiersOf = (contact: RawObject | null): (string | undefined)[] => {
  if (contact === null) return [];
  const view = ContactView.parse(contact);
  return [view.wa_id, view.user_id, view.parent_user_id];
};

/** The media that an element of messages[] names, or null. */
export const mediaPartOf = (raw: unknown): MediaPart | null => {
  const type = isObject(raw) ? raw['type'] : undefined;
  if (!isObject(raw) || typeof type !== 'string' || !MEDIA_TYPES.has(type)) return null;
  const view = MediaView.safeParse(raw[type]);
  if (!view.success) return null;
  const { id, mime_type, sha256, voice } = view.data;
  return {
    providerMediaId: id,
    mimeType: mime_type ?? 'application/octet-stream',
    sha256: sha256 ?? null,
    voice: voice ?? false,
  };
};

export const messageItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = MessageView.safeParse(raw);
  if (!parsed.success || !isObject(raw)) return unknownItem(around, raw);
  const view = parsed.data;
  const from = [view.from, view.from_user_id, view.from_parent_user_id];
  const contact = contactOf(around, from);
  const common = { ...withContact(around, raw, contact), at: instantOf(view.timestamp), wamid: view.id };
  const system = view.type === 'system' ? view.system : undefined;
  if (system?.type !== undefined && IDENTITY_CHANGES.has(system.type)) {
    const previous = identityOf(from);
    const current = identityOf([system.wa_id, system.user_id, system.parent_user_id]);
    if (isAnonymous(previous) && isAnonymous(current)) return unknownItem(around, raw);
    return { ...common, kind: 'identity', change: system.type, previous, current };
  }
  const sender = identityOf([...from, ...identifiersOf(contact)]);
  if (isAnonymous(sender)) return unknownItem(around, raw);
  return {
    ...common,
    kind: 'message',
    type: view.type,
    sender,
    groupId: view.group_id ?? null,
    contextWamid:
      view.context?.id ?? view.reaction?.message_id ?? view.edit?.original_message_id ?? view.revoke?.original_message_id ?? null,
    media: mediaPartOf(raw),
    referral: isObject(view.referral),
  };
};

export const statusItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = StatusView.safeParse(raw);
  if (!parsed.success) return unknownItem(around, raw);
  const view = parsed.data;
  const group = view.recipient_type === 'group';
  const parent = view.recipient_parent_user_id ?? view.parent_recipient_user_id;
  const named = group
    ? [
        view.recipient_participant_id,
        view.recipient_participant_user_id,
        view.recipient_participant_parent_user_id,
        view.recipient_user_id,
        parent,
      ]
    : [view.recipient_id, view.recipient_user_id, parent];
  const contact = contactOf(around, named);
  const recipient = identityOf([...named, ...(group ? [] : identifiersOf(contact))]);
  const common = { ...withContact(around, raw, contact), at: instantOf(view.timestamp) };
  if (view.type === 'call' || around.place.field === 'calls') {
    if (isAnonymous(recipient)) return unknownItem(around, raw);
    return { ...common, kind: 'call', callId: view.id, event: 'status', direction: null, status: view.status, user: recipient };
  }
  return {
    ...common,
    kind: 'status',
    wamid: view.id,
    status: view.status,
    recipient,
    groupId: group ? (view.recipient_id ?? null) : null,
    callbackData: view.biz_opaque_callback_data ?? null,
    pricing: view.pricing
      ? {
          model: view.pricing.pricing_model ?? null,
          type: view.pricing.type ?? null,
          category: view.pricing.category ?? null,
          subtype: view.pricing.subtype ?? null,
          billable: view.pricing.billable ?? null,
        }
      : null,
    origin: view.conversation
      ? { type: view.conversation.origin?.type ?? null, expiresAt: instantOf(view.conversation.expiration_timestamp) }
      : null,
    errorCodes: (view.errors ?? []).flatMap((error) => (error ? [error.code] : [])),
  };
};

export const callItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = CallView.safeParse(raw);
  if (!parsed.success) return unknownItem(around, raw);
  const view = parsed.data;
  const caller = [view.from, view.from_user_id, view.from_parent_user_id];
  const callee = [view.to, view.to_user_id, view.to_parent_user_id];
  const named = view.direction === 'BUSINESS_INITIATED' ? callee : caller;
  const contact = contactOf(around, named);
  const user = identityOf([...named, ...identifiersOf(contact)]);
  if (isAnonymous(user)) return unknownItem(around, raw);
  return {
    ...withContact(around, raw, contact),
    kind: 'call',
    callId: view.id,
    event: view.event,
    direction: view.direction ?? null,
    status: view.status ?? null,
    at: instantOf(view.timestamp),
    user,
  };
};

export const echoItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = MessageView.safeParse(raw);
  if (!parsed.success) return unknownItem(around, raw);
  const view = parsed.data;
  const named = [view.to, view.to_user_id, view.to_parent_user_id];
  const contact = contactOf(around, named);
  const recipient = identityOf([...named, ...identifiersOf(contact)]);
  if (isAnonymous(recipient)) return unknownItem(around, raw);
  const at = instantOf(view.timestamp);
  return { ...withContact(around, raw, contact), kind: 'echo', wamid: view.id, type: view.type, at, recipient };
};

export const preferenceItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = PreferenceView.safeParse(raw);
  if (!parsed.success) return unknownItem(around, raw);
  const { wa_id, user_id, parent_user_id, category, value, timestamp } = parsed.data;
  const named = [wa_id, user_id, parent_user_id];
  const contact = contactOf(around, named);
  const user = identityOf([...named, ...identifiersOf(contact)]);
  if (isAnonymous(user)) return unknownItem(around, raw);
  return { ...withContact(around, raw, contact), kind: 'preference', category, value, at: instantOf(timestamp), user };
};

export const userIdUpdateItem = (around: Surroundings, raw: unknown): WebhookItem => {
  const parsed = UserIdUpdateView.safeParse(raw);
  if (!parsed.success) return unknownItem(around, raw);
  const { wa_id, user_id, parent_user_id, timestamp } = parsed.data;
  const previous = identityOf([user_id.previous, parent_user_id?.previous, wa_id]);
  const current = identityOf([user_id.current, parent_user_id?.current, wa_id]);
  if (isAnonymous(previous) && isAnonymous(current)) return unknownItem(around, raw);
  const common = { ...withContact(around, raw, contactOf(around, [wa_id, user_id.current, user_id.previous])), wamid: null };
  return { ...common, kind: 'identity', change: 'user_id_update', at: instantOf(timestamp), previous, current };
};

/** A platform error that belongs to no message. */
export const errorItem = (around: Surroundings, raw: unknown): WebhookItem => ({
  ...withContact(around, raw, null),
  kind: 'account',
  event: 'errors',
  at: around.place.entryTime,
});
