import { z } from 'zod';
import { defineEvent } from '../define.js';
import { Instant, MessageRef, Sha256Hex, Uuid } from '../primitives.js';

const base = { topic: 'wa.outbound.v1', producers: ['ingest'], key: 'subject', id: 'send', personal: [] } as const;
const Send = {
  sendId: Uuid,
  replyId: Uuid,
  conversationId: Uuid,
  phoneNumberId: z.string().max(64),
  attempt: z.number().int().min(1),
};

export const replyAttempted = defineEvent({
  ...base,
  type: 'whatsapp.reply.attempted.v1',
  consumers: ['conversation'],
  summary: 'On the log before the provider is called; the call that follows is made at most once.',
  data: z.object({ ...Send, kind: z.enum(['text', 'template']), sendBefore: Instant }),
});

export const replyAccepted = defineEvent({
  ...base,
  type: 'whatsapp.reply.accepted.v1',
  consumers: ['conversation', 'billing'],
  summary: 'The provider took the message and named it. Not yet delivery.',
  data: z.object({ ...Send, kind: z.enum(['text', 'template']), messageRef: MessageRef }),
});

export const RefusalReasons = [
  'window_closed',
  'deadline_passed',
  'pair_rate_limited',
  'throughput_limited',
  'undeliverable',
  'recipient_opted_out',
  'template_invalid',
  'payment_required',
  'blocked',
  'not_permitted',
  'invalid_request',
  'provider_error',
] as const;

export const replyRefused = defineEvent({
  ...base,
  type: 'whatsapp.reply.refused.v1',
  consumers: ['conversation'],
  summary: 'The provider refused the message, or it was too late to call.',
  data: z.object({ ...Send, reason: z.enum(RefusalReasons), providerCode: z.number().int().nullable() }),
});

export const replyUnresolved = defineEvent({
  ...base,
  type: 'whatsapp.reply.unresolved.v1',
  consumers: ['conversation'],
  summary: 'The call gave no answer and no status resolved it in time. Shown to the agent, never sent again by itself.',
  data: z.object(Send),
});

export const mediaStored = defineEvent({
  ...base,
  type: 'media.stored.v1',
  consumers: ['conversation'],
  summary: 'The bytes were fetched before the link expired and stored as ciphertext.',
  data: z.object({
    mediaId: Uuid,
    messageRef: MessageRef,
    subjectId: Uuid,
    mimeType: z.string().max(127),
    bytes: z.number().int().nonnegative(),
    cipherSha256: Sha256Hex,
    objectKey: z.string().max(256),
  }),
});

export const mediaLost = defineEvent({
  ...base,
  type: 'media.lost.v1',
  consumers: ['conversation'],
  summary: 'The bytes could not be fetched before the provider forgot them.',
  data: z.object({
    mediaId: Uuid,
    messageRef: MessageRef,
    subjectId: Uuid,
    reason: z.enum(['expired', 'not_found', 'hash_mismatch', 'too_big', 'refused']),
  }),
});

export const outboundEvents = [replyAttempted, replyAccepted, replyRefused, replyUnresolved, mediaStored, mediaLost] as const;
