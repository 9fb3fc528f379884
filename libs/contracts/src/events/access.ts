import { z } from 'zod';
import { defineEvent } from '../define.js';
import { Instant, Role, Service, Sha256Hex, Uuid } from '../primitives.js';

const base = {
  topic: 'access.events.v1',
  producers: 'every service',
  consumers: ['audit-log'],
  key: 'lane',
  id: 'new',
  personal: [],
} as const;

/** base64url HMAC-SHA-256 under the subject's (or, for an IP address, the tenant's) commitment key. */
export const Commitment = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Closed list of what can be shown; the record names what was rendered after masking. */
export const DisclosedFields = [
  'display_name',
  'phone',
  'phone_masked',
  'bsuid',
  'message_text',
  'message_preview',
  'media',
  'location',
  'contact_card',
  'note',
  'reply_text',
  'usage',
  'access_record',
  'subject_id',
] as const;
export const DisclosedField = z.enum(DisclosedFields);
export type DisclosedField = z.infer<typeof DisclosedField>;

export const ReasonCodes = [
  'ASSIGNED_CONVERSATION',
  'QUEUE_TRIAGE',
  'SUPERVISION_QA',
  'SUBJECT_REQUEST',
  'LEGAL_PROCESS',
  'SECURITY_INVESTIGATION',
  'BILLING_DISPUTE',
  'SYSTEM_OPERATION',
  'BREAK_GLASS',
  'TEST_DATA',
] as const;
export const ReasonCode = z.enum(ReasonCodes);
export type ReasonCode = z.infer<typeof ReasonCode>;

export const AccessRecord = z.object({
  recordId: Uuid.describe('minted by the owner of the data; the id of the response header'),
  occurredAt: Instant,
  service: Service,
  outcome: z.enum(['disclosed', 'denied']),
  actor: z.object({ id: Uuid, role: Role, session: z.string().max(64) }),
  action: z.string().max(64).describe('for example conversation.thread.read'),
  resource: z.object({ type: z.string().max(32), id: z.string().max(80) }),
  fields: z.array(DisclosedField).max(32),
  resultCount: z.number().int().nonnegative(),
  subjects: z.array(Commitment).max(1000).describe('commitments of the subjects shown, sorted'),
  manifest: Sha256Hex.nullable().describe('RFC 6962 root over subjects, for lists'),
  reason: z.object({ code: ReasonCode, reference: z.string().max(80).nullable(), text: Commitment.nullable() }),
  policy: z.object({ rule: z.string().max(64), version: z.number().int() }),
  source: z.object({ ip: Commitment.nullable(), userAgent: z.string().max(64).nullable() }),
});
export type AccessRecord = z.infer<typeof AccessRecord>;

export const customerDataAccessed = defineEvent({
  ...base,
  type: 'customer.data.accessed.v1',
  summary: 'One response that showed customer data, recorded before its first byte left.',
  data: AccessRecord,
});
export const customerDataExported = defineEvent({
  ...base,
  type: 'customer.data.exported.v1',
  summary: 'Customer data left as a file.',
  data: AccessRecord,
});
export const customerDataDenied = defineEvent({
  ...base,
  type: 'customer.data.denied.v1',
  summary: 'Somebody asked for customer data and was refused.',
  data: AccessRecord,
});
export const auditLogRead = defineEvent({
  ...base,
  type: 'audit.log.read.v1',
  summary: 'The access log itself was queried.',
  data: AccessRecord,
});
export const breakGlassOpened = defineEvent({
  ...base,
  type: 'break.glass.opened.v1',
  summary: 'Emergency access was opened.',
  data: AccessRecord,
});

export const accessEvents = [
  customerDataAccessed,
  customerDataExported,
  customerDataDenied,
  auditLogRead,
  breakGlassOpened,
] as const;
