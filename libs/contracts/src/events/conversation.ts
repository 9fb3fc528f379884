import { z } from 'zod';
import { defineEvent } from '../define.js';
import { Instant, MessageRef, Participant, Sealed, Uuid } from '../primitives.js';
import { InboundMedia } from './inbound.js';

const base = { topic: 'conversation.events.v1', producers: ['conversation'], key: 'subject', id: 'new', personal: [] } as const;
const Case = { conversationId: Uuid, subjectId: Uuid };

export const contactIdentified = defineEvent({
  ...base,
  type: 'contact.identified.v1',
  consumers: [],
  summary: 'A subject was seen for the first time and founds a contact.',
  data: z.object({ contactId: Uuid, subjectId: Uuid }),
});

export const contactMerged = defineEvent({
  ...base,
  type: 'contact.merged.v1',
  consumers: [],
  summary: 'Two contacts are one person. On the key of the survivor; nothing is re-keyed.',
  data: z.object({ contactId: Uuid, absorbedContactId: Uuid, actorId: Uuid }),
});

export const contactUnmerged = defineEvent({
  ...base,
  type: 'contact.unmerged.v1',
  consumers: [],
  summary: 'A merge was wrong and is undone.',
  data: z.object({ contactId: Uuid, absorbedContactId: Uuid, actorId: Uuid }),
});

export const conversationOpened = defineEvent({
  ...base,
  type: 'conversation.opened.v1',
  consumers: ['routing', 'audit-log'],
  summary: 'A case begins: the first message, or the first one later than 24 h after the last closing.',
  data: z.object({
    ...Case,
    contactId: Uuid,
    phoneNumberId: z.string().max(64),
    wabaId: z.string().max(64),
    ordinal: z.number().int().min(1),
    openedBy: MessageRef,
    openedAt: Instant,
    language: z.string().max(8).nullable().describe('guess from the market, for routing'),
    windowExpiresAt: Instant.nullable(),
    referral: z.boolean(),
  }),
});

export const conversationReopened = defineEvent({
  ...base,
  type: 'conversation.reopened.v1',
  consumers: ['routing', 'audit-log'],
  summary: 'The customer wrote again within 24 h after closing.',
  data: z.object({ ...Case, reopenedBy: MessageRef, reopenedAt: Instant, windowExpiresAt: Instant.nullable() }),
});

export const messageRecorded = defineEvent({
  ...base,
  type: 'conversation.message.recorded.v1',
  consumers: ['routing', 'audit-log'],
  personal: ['the envelope of the item, verbatim'],
  summary: 'A message belongs to this conversation, and to no other.',
  data: z.object({
    ...Case,
    messageRef: MessageRef,
    direction: z.enum(['in', 'echo']),
    messageType: z.string().max(64),
    participant: Participant,
    effectiveAt: Instant,
    contextRef: MessageRef.nullable(),
    media: InboundMedia.nullable(),
    sealed: Sealed,
  }),
});

export const windowOpened = defineEvent({
  ...base,
  type: 'conversation.window.opened.v1',
  consumers: ['routing'],
  summary: 'The customer service window of (business number, subject) opened or moved; it closes by time alone.',
  data: z.object({
    subjectId: Uuid,
    phoneNumberId: z.string().max(64),
    openedAt: Instant.describe('effective time of the message or call that moved it'),
    expiresAt: Instant,
    causeRef: MessageRef,
  }),
});

export const replyRequested = defineEvent({
  ...base,
  type: 'conversation.reply.requested.v1',
  consumers: ['ingest'],
  personal: ['address', 'text or template values'],
  summary: 'An agent answers. The envelope holds the address of the identity that is answered, and the contents.',
  data: z.object({
    ...Case,
    replyId: Uuid,
    sendId: Uuid,
    phoneNumberId: z.string().max(64),
    agentId: Uuid,
    kind: z.enum(['text', 'template']),
    template: z.object({ name: z.string().max(512), language: z.string().max(16) }).nullable(),
    contextRef: MessageRef.nullable(),
    requestedAt: Instant,
    sendBefore: Instant,
    sealed: Sealed,
  }),
});

export const ReplyRefusalCodes = ['WINDOW_CLOSED', 'WINDOW_NEVER_OPENED', 'NOT_ASSIGNED', 'CONVERSATION_CLOSED'] as const;

export const replyRefusedByRule = defineEvent({
  ...base,
  type: 'conversation.reply.refused.v1',
  consumers: [],
  summary: 'A reply was refused before the provider was called: outside the window only a template may go.',
  data: z.object({ ...Case, replyId: Uuid, agentId: Uuid, code: z.enum(ReplyRefusalCodes), refusedAt: Instant }),
});

export const transferRequested = defineEvent({
  ...base,
  type: 'conversation.transfer.requested.v1',
  consumers: ['routing'],
  summary: 'The agent hands the conversation to a queue or a colleague.',
  data: z.object({
    ...Case,
    transferId: Uuid,
    agentId: Uuid,
    toQueueId: Uuid.nullable(),
    toAgentId: Uuid.nullable(),
    requestedAt: Instant,
  }),
});

export const noted = defineEvent({
  ...base,
  type: 'conversation.noted.v1',
  consumers: [],
  personal: ['text'],
  summary: 'An internal note; the customer never sees it.',
  data: z.object({ ...Case, noteId: Uuid, agentId: Uuid, notedAt: Instant, sealed: Sealed }),
});

export const disposed = defineEvent({
  ...base,
  type: 'conversation.disposed.v1',
  consumers: [],
  summary: 'The disposition code of the case was set.',
  data: z.object({ ...Case, agentId: Uuid, code: z.string().max(64), disposedAt: Instant }),
});

export const closed = defineEvent({
  ...base,
  type: 'conversation.closed.v1',
  consumers: ['routing', 'audit-log'],
  summary: 'The case is done. A message within 24 h reopens it.',
  data: z.object({ ...Case, agentId: Uuid.nullable(), dispositionCode: z.string().max(64).nullable(), closedAt: Instant }),
});

export const erasureStarted = defineEvent({
  ...base,
  type: 'subject.erasure.started.v1',
  consumers: ['ingest', 'audit-log'],
  summary: 'The keys of these subjects are closing; the person gets a new subject if they write again.',
  data: z.object({ erasureId: Uuid, contactId: Uuid, subjectIds: z.array(Uuid).min(1).max(1000), startedAt: Instant }),
});

export const erased = defineEvent({
  ...base,
  type: 'subject.erased.v1',
  consumers: ['ingest', 'audit-log'],
  summary: 'The keys are destroyed; what they sealed is gone for ever.',
  data: z.object({ erasureId: Uuid, contactId: Uuid, subjectIds: z.array(Uuid).min(1).max(1000), erasedAt: Instant }),
});

export const conversationEvents = [
  contactIdentified,
  contactMerged,
  contactUnmerged,
  conversationOpened,
  conversationReopened,
  messageRecorded,
  windowOpened,
  replyRequested,
  replyRefusedByRule,
  transferRequested,
  noted,
  disposed,
  closed,
  erasureStarted,
  erased,
] as const;
