import { z } from 'zod';
import { defineEvent } from '../define.js';
import { Instant, MarketHint, MessageRef, Participant, Sealed, Sha256Hex, Uuid } from '../primitives.js';

const Origin = { app: z.string().max(64), wabaId: z.string().max(64), phoneNumberId: z.string().max(64) };
const base = { topic: 'wa.inbound.v1', producers: ['ingest'], key: 'subject', id: 'fact' } as const;
const personalItem = ['identifiers', 'profile', 'the item as it came'] as const;

/** Media that the item names; the bytes are fetched by the media role. */
export const InboundMedia = z.object({
  mediaId: Uuid.describe('our id, derived from message_ref'),
  mimeType: z.string().max(127),
  sha256: z.string().max(64).nullable().describe('as the provider states it'),
  voice: z.boolean(),
});

export const messageReceived = defineEvent({
  ...base,
  type: 'whatsapp.message.received.v1',
  consumers: ['ingest', 'conversation'],
  personal: [...personalItem, 'wamid', 'text'],
  summary: 'A customer wrote. Any item of messages[], whatever its type.',
  data: z.object({
    ...Origin,
    messageRef: MessageRef,
    messageType: z.string().max(64).describe('as received; open list'),
    providerTime: Instant,
    subjectId: Uuid.describe('the sender'),
    group: z.boolean(),
    participant: Participant,
    addressKind: z.enum(['phone', 'bsuid']).describe('what a reply will be addressed to'),
    marketHint: MarketHint,
    contextRef: MessageRef.nullable().describe('the message that is quoted or reacted to'),
    media: InboundMedia.nullable(),
    referral: z.boolean().describe('came from an ad or a page button'),
    sealed: Sealed,
  }),
});

export const Pricing = z.object({
  model: z.string().max(32).nullable(),
  type: z.string().max(64).nullable(),
  category: z.string().max(64).nullable(),
  subtype: z.string().max(64).nullable(),
  billable: z.boolean().nullable(),
});
export type Pricing = z.infer<typeof Pricing>;

export const statusChanged = defineEvent({
  ...base,
  type: 'whatsapp.status.changed.v1',
  consumers: ['ingest', 'conversation', 'billing'],
  personal: [...personalItem, 'wamid', 'recipient'],
  summary: 'The provider reports sent, delivered, read, failed or played for a message of ours.',
  data: z.object({
    ...Origin,
    messageRef: MessageRef,
    sendId: Uuid.nullable().describe('our biz_opaque_callback_data, when it came back'),
    status: z.string().max(32).describe('as received; open list'),
    providerTime: Instant,
    participant: Participant,
    marketHint: MarketHint,
    pricing: Pricing.nullable(),
    origin: z.object({ type: z.string().max(64).nullable(), expiresAt: Instant.nullable() }).nullable(),
    errorCodes: z.array(z.number().int()).max(20),
    sealed: Sealed,
  }),
});

export const callChanged = defineEvent({
  ...base,
  type: 'whatsapp.call.changed.v1',
  consumers: ['conversation'],
  personal: personalItem,
  summary: 'A call was offered, connected, ended or changed its status.',
  data: z.object({
    ...Origin,
    callRef: MessageRef,
    event: z.string().max(32),
    direction: z.string().max(32).nullable(),
    status: z.string().max(32).nullable(),
    providerTime: Instant,
    subjectId: Uuid,
    marketHint: MarketHint,
    sealed: Sealed,
  }),
});

export const echoReceived = defineEvent({
  ...base,
  type: 'whatsapp.echo.received.v1',
  consumers: ['conversation'],
  personal: [...personalItem, 'wamid', 'text'],
  summary: 'The business wrote through its phone app or another solution.',
  data: z.object({
    ...Origin,
    messageRef: MessageRef,
    messageType: z.string().max(64),
    providerTime: Instant,
    subjectId: Uuid.describe('the customer who received it'),
    marketHint: MarketHint,
    sealed: Sealed,
  }),
});

export const identityChanged = defineEvent({
  ...base,
  type: 'whatsapp.identity.changed.v1',
  consumers: ['conversation'],
  personal: [...personalItem, 'previous and current identifiers'],
  summary: 'An identifier of a customer rotated; the subject stays.',
  data: z.object({ ...Origin, change: z.string().max(64), providerTime: Instant, subjectId: Uuid, sealed: Sealed }),
});

export const preferenceChanged = defineEvent({
  ...base,
  type: 'whatsapp.preference.changed.v1',
  consumers: [],
  personal: personalItem,
  summary: 'A customer stopped or resumed marketing messages.',
  data: z.object({
    ...Origin,
    category: z.string().max(64),
    value: z.string().max(32),
    providerTime: Instant,
    subjectId: Uuid,
    sealed: Sealed,
  }),
});

export const accountChanged = defineEvent({
  ...base,
  key: 'stream',
  type: 'whatsapp.account.changed.v1',
  consumers: [],
  personal: ['the item as it came'],
  summary: 'An account-level field: limits, templates, quality, tiers. Sealed under the unattributed key of tenant and month.',
  data: z.object({
    app: z.string().max(64),
    wabaId: z.string().max(64),
    phoneNumberId: z.string().max(64).nullable(),
    field: z.string().max(64),
    event: z.string().max(64).nullable(),
    providerTime: Instant,
    sealed: Sealed,
  }),
});

export const unknownReceived = defineEvent({
  ...base,
  key: 'stream',
  type: 'whatsapp.unknown.received.v1',
  consumers: [],
  personal: ['the bytes as they came'],
  summary: 'Signed by Meta but not understood, or for an account that the app has not registered. Kept raw, never dropped.',
  data: z.object({
    app: z.string().max(64),
    wabaId: z.string().max(64).nullable(),
    phoneNumberId: z.string().max(64).nullable(),
    reason: z.enum(['unknown_field', 'unknown_item', 'not_json', 'not_envelope', 'unregistered_account']),
    field: z.string().max(64).nullable(),
    providerTime: Instant,
    bytes: z.number().int().nonnegative(),
    sha256: Sha256Hex.describe('keyed digest of the raw bytes'),
    sealed: Sealed.nullable().describe('null when the bytes are too big for a record'),
    objectKey: z.string().max(256).nullable().describe('encrypted bytes in the object store, when too big for a record'),
  }),
});

export const inboundEvents = [
  messageReceived,
  statusChanged,
  callChanged,
  echoReceived,
  identityChanged,
  preferenceChanged,
  accountChanged,
  unknownReceived,
] as const;
