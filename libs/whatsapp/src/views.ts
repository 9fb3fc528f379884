import { z } from 'zod';
import type { RawObject } from './items.js';

// What we read of the payloads. Every property is optional and a wrong type reads as absent: the provider adds and changes fields
// without notice, and the item itself is kept as it came.
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
const seconds = z.union([z.string(), z.number()]).optional().catch(undefined);
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).optional().catch(undefined);

export const ContactView = z.object({ wa_id: text, user_id: text, parent_user_id: text });

const errors = z
  .array(z.object({ code: z.number().int() }).nullable().catch(null))
  .optional()
  .catch(undefined);

export const MessageView = z.object({
  id: z.string().min(1),
  type: z.string().min(1),
  timestamp: seconds,
  from: text,
  from_user_id: text,
  from_parent_user_id: text,
  group_id: text,
  context: part({ id: text }),
  reaction: part({ message_id: text }),
  edit: part({ original_message_id: text }),
  revoke: part({ original_message_id: text }),
  referral: z.unknown().optional(),
  system: part({ type: text, wa_id: text, user_id: text, parent_user_id: text }),
  // echoes
  to: text,
  to_user_id: text,
  to_parent_user_id: text,
});
export type MessageView = z.infer<typeof MessageView>;

export const MediaView = z.object({ id: z.string().min(1), mime_type: text, sha256: text, voice: flag });

export const StatusView = z.object({
  id: z.string().min(1),
  status: z.string().min(1),
  type: text,
  timestamp: seconds,
  recipient_id: text,
  recipient_user_id: text,
  recipient_parent_user_id: text,
  // its name until 2026-05-05
  parent_recipient_user_id: text,
  recipient_type: text,
  recipient_participant_id: text,
  recipient_participant_user_id: text,
  recipient_participant_parent_user_id: text,
  biz_opaque_callback_data: text,
  pricing: part({ pricing_model: text, type: text, category: text, subtype: text, billable: flag }),
  conversation: part({ expiration_timestamp: seconds, origin: part({ type: text }) }),
  errors,
});
export type StatusView = z.infer<typeof StatusView>;

export const CallView = z.object({
  id: z.string().min(1),
  event: z.string().min(1),
  direction: text,
  status: text,
  timestamp: seconds,
  from: text,
  from_user_id: text,
  from_parent_user_id: text,
  to: text,
  to_user_id: text,
  to_parent_user_id: text,
});

export const PreferenceView = z.object({
  wa_id: text,
  user_id: text,
  parent_user_id: text,
  category: z.string().min(1),
  value: z.string().min(1),
  timestamp: seconds,
});

export const UserIdUpdateView = z.object({
  wa_id: text,
  user_id: z.object({ previous: text, current: text }),
  parent_user_id: part({ previous: text, current: text }),
  timestamp: seconds,
});

export const EnvelopeView = z.object({ object: z.literal('whatsapp_business_account'), entry: z.array(z.unknown()) });
export const EntryView = z.object({ id: z.string().min(1), time: seconds, changes: z.array(z.unknown()) });
export const ChangeView = z.object({ field: z.string().min(1), value: z.record(z.string(), z.unknown()) });
export const MetadataView = z.object({ display_phone_number: text, phone_number_id: text });
export const AccountView = z.object({ event: text, alert_type: text, type: text, decision: text });

export const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Unix seconds, as text or number; milliseconds have been seen in coexistence payloads. Null when it is no instant of this era. */
export const instantOf = (value: string | number | undefined): Date | null => {
  const number = typeof value === 'string' ? (/^\d{1,16}$/.test(value) ? Number(value) : Number.NaN) : (value ?? Number.NaN);
  if (!Number.isFinite(number) || number <= 0) return null;
  const milliseconds = number < 1e11 ? number * 1000 : number;
  return milliseconds < 1e14 ? new Date(Math.trunc(milliseconds)) : null;
};
