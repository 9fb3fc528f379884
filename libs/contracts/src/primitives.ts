import { z } from 'zod';

/** UUID of any version, lower case. */
export const Uuid = z.uuid().describe('UUID');
/** UTC instant with milliseconds, for example `2026-11-23T10:00:00.000Z`. */
export const Instant = z.iso.datetime({ precision: 3 }).describe('UTC instant with milliseconds');
/** Keyed reference of a provider message: base64url of 16 bytes. A wamid embeds a phone number and never leaves ciphertext. */
export const MessageRef = z
  .string()
  .regex(/^[A-Za-z0-9_-]{22}$/)
  .describe('keyed message reference');
/** Keyed reference of a group participant, `-` in a conversation of two. */
export const Participant = z.string().regex(/^(-|[A-Za-z0-9_-]{22})$/);
/** A number that may pass 2^53, as decimal digits. */
export const DecimalInteger = z.string().regex(/^(0|-?[1-9]\d*)$/);
/** Lower-case hexadecimal SHA-256. */
export const Sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
/** A month of an account's local calendar, for example `2026-10`. */
export const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/);
export const CurrencyCode = z.string().regex(/^[A-Z]{3}$/);

/**
 * Personal data as ciphertext: AES-256-GCM under the subject's key, deterministic per fact and copied verbatim into later events.
 * `id` is the event that first held it; `schema` names the plaintext's shape.
 */
export const Sealed = z.object({
  id: Uuid,
  subject: Uuid,
  schema: z.string().max(80),
  kid: z.string().max(64),
  nonce: z.string().max(24),
  ct: z.string(),
});
export type Sealed = z.infer<typeof Sealed>;

/** Where the recipient's market comes from once the identifiers are erased: ISO country and at most four leading digits. */
export const MarketHint = z.object({
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .nullable(),
  prefix: z
    .string()
    .regex(/^\d{1,4}$/)
    .nullable(),
});
export type MarketHint = z.infer<typeof MarketHint>;

export const Roles = ['agent', 'supervisor', 'compliance', 'billing', 'platform'] as const;
export const Role = z.enum(Roles);
export type Role = z.infer<typeof Role>;

export const Services = ['ingest', 'conversation', 'routing', 'billing', 'audit-log', 'gateway'] as const;
export const Service = z.enum(Services);
export type Service = z.infer<typeof Service>;
