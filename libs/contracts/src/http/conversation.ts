import { z } from 'zod';
import { Instant, MessageRef, Uuid } from '../primitives.js';
import { ReasonCode } from '../events/access.js';
import { PageQuery, personal } from './shared.js';

export const ConversationState = z.enum(['waiting', 'assigned', 'closed']);

export const InboxQuery = PageQuery.extend({
  view: z.enum(['mine', 'unassigned', 'all', 'closed']).default('mine').describe('`all` and `closed` show what the role may see'),
  sort: z.enum(['window', 'wait', 'recent']).default('recent'),
});

export const InboxRow = z.object({
  conversationId: Uuid,
  subjectId: Uuid,
  displayName: personal(z.string().nullable()).describe('profile name; null when none was sent'),
  phoneMasked: personal(z.string().nullable()),
  preview: personal(z.string()).describe('start of the last message, or a label such as [image]'),
  previewKind: z.enum(['in', 'out', 'echo']),
  erased: z.boolean(),
  businessNumber: z.string().describe('name of the business number'),
  state: ConversationState,
  assignedAgentId: Uuid.nullable(),
  queueId: Uuid.nullable(),
  language: z.string().nullable(),
  unread: z.number().int(),
  lastMessageAt: Instant,
  waitingSince: Instant.nullable(),
  windowExpiresAt: Instant.nullable(),
  version: z.string(),
});
export type InboxRow = z.infer<typeof InboxRow>;

export const ConversationDetail = InboxRow.omit({ preview: true, previewKind: true, unread: true }).extend({
  contactId: Uuid,
  ordinal: z.number().int(),
  openedAt: Instant,
  closedAt: Instant.nullable(),
  dispositionCode: z.string().nullable(),
  replyVersion: z.string().describe('If-Match of a reply: assignment and last outbound version'),
  mayReply: z.enum(['text', 'template', 'no']).describe('what the one rule of windows allows now, for this actor'),
  whyNot: z.string().nullable().describe('error code when mayReply is not text'),
});
export type ConversationDetail = z.infer<typeof ConversationDetail>;

export const ThreadItem = z.object({
  id: z.string().describe('stable id of the item'),
  kind: z.enum(['inbound', 'echo', 'reply', 'note', 'event']),
  at: Instant,
  messageType: z.string().nullable(),
  messageRef: MessageRef.nullable(),
  text: personal(z.string().nullable()),
  sender: personal(z.string().nullable()).describe('participant of a group, else null'),
  location: personal(z.object({ latitude: z.number(), longitude: z.number(), name: z.string().nullable() }).nullable()),
  contactNames: personal(z.array(z.string())),
  media: z
    .object({
      mediaId: Uuid,
      mimeType: z.string(),
      state: z.enum(['pending', 'stored', 'lost']),
      voice: z.boolean(),
      fileName: personal(z.string().nullable()),
    })
    .nullable(),
  contextRef: MessageRef.nullable(),
  reactionTo: MessageRef.nullable(),
  agentId: Uuid.nullable().describe('author of a reply or note'),
  status: z.enum(['requested', 'attempted', 'accepted', 'sent', 'delivered', 'read', 'failed', 'refused', 'unknown']).nullable(),
  statusCode: z.string().nullable().describe('reason of failed and refused'),
  event: z
    .object({ type: z.string(), taskId: Uuid.nullable() })
    .nullable()
    .describe('assigned, transferred, closed, reopened, disposed'),
  erased: z.boolean(),
});
export type ThreadItem = z.infer<typeof ThreadItem>;

export const ThreadQuery = PageQuery.describe('newest first; the cursor goes back in time');

export const TemplateValues = z.array(z.string().min(1).max(1024)).max(20);
export const ReplyBody = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().min(1).max(4096), inReplyTo: MessageRef.optional() }),
  z.object({
    kind: z.literal('template'),
    template: z.string().max(512),
    language: z.string().max(16),
    values: TemplateValues.default([]),
  }),
]);
export type ReplyBody = z.infer<typeof ReplyBody>;
export const NoteBody = z.object({ text: z.string().min(1).max(4096) });
export const DispositionBody = z.object({ code: z.string().min(1).max(64) });
export const CloseBody = z.object({ dispositionCode: z.string().min(1).max(64).optional() });
export const TransferBody = z
  .object({ toQueueId: Uuid.optional(), toAgentId: Uuid.optional() })
  .refine((body) => Boolean(body.toQueueId) !== Boolean(body.toAgentId), { message: 'give either toQueueId or toAgentId' });
export const RevealBody = z.object({ field: z.literal('phone'), reason: ReasonCode, note: z.string().max(500).optional() });
export const Revealed = z.object({
  phone: personal(z.string().nullable()),
  bsuid: personal(z.string().nullable()),
  expiresAt: Instant,
});

export const Template = z.object({
  name: z.string(),
  language: z.string(),
  category: z.enum(['utility', 'marketing', 'authentication']),
  body: z.string().describe('with {{1}}, {{2}} …'),
  variables: z.number().int(),
});
export type Template = z.infer<typeof Template>;
export const Disposition = z.object({ code: z.string(), label: z.object({ es: z.string(), en: z.string(), pt: z.string() }) });
export type Disposition = z.infer<typeof Disposition>;
