import { z } from 'zod';
import { NanoAmount, rateCardPublished, usageRecorded } from '../events/billing.js';
import { CurrencyCode, Instant, Month, Sha256Hex, Uuid } from '../primitives.js';
import { page } from './shared.js';

export const RateCardBody = rateCardPublished.data.omit({ cardId: true, knownAt: true });

export const StatementLine = z.object({
  lineId: z.string().describe('stable key of the group'),
  phoneNumberId: z.string(),
  market: z.string().nullable(),
  category: z.string(),
  kind: z.enum(['charged', 'free', 'suspense']),
  pricingType: z.string().nullable(),
  quantity: z.number().int(),
  rate: NanoAmount.nullable().describe('nano-units per message'),
  amount: NanoAmount,
  cardId: Uuid.nullable(),
  era: z.string().nullable(),
  explanation: z.object({ es: z.string(), en: z.string(), pt: z.string() }),
});
export type StatementLine = z.infer<typeof StatementLine>;

export const Statement = z.object({
  wabaId: z.string(),
  month: Month,
  timeZone: z.string(),
  currency: CurrencyCode,
  state: z.enum(['open', 'closed']),
  estimate: z.literal(true).describe('until reconciled with the supplier'),
  lines: z.array(StatementLine),
  total: z.object({ quantity: z.number().int(), amount: NanoAmount }),
  freeTier: z.array(z.object({ phoneNumberId: z.string(), used: z.number().int(), allotment: z.number().int() })),
  digest: Sha256Hex.describe('SHA-256 over the canonical JSON of lines and totals'),
  asOf: Instant,
});
export type Statement = z.infer<typeof Statement>;

export const StatementSummary = z.object({
  wabaId: z.string(),
  name: z.string(),
  month: Month,
  currency: CurrencyCode,
  state: z.enum(['open', 'closed']),
  quantity: z.number().int(),
  amount: NanoAmount,
});
export const StatementList = z.object({ items: z.array(StatementSummary) });

export const UsageItem = usageRecorded.data.extend({
  rate: NanoAmount.nullable(),
  amount: NanoAmount,
  evidence: z.array(z.object({ eventId: Uuid, status: z.string(), at: Instant })),
});
export type UsageItem = z.infer<typeof UsageItem>;
export const UsagePage = page(UsageItem);

/** Whether all evidence is accounted for (invariant 14): `delivered` is counted from the statuses, the parts from what was made of them. */
export const UsageBalance = z.object({
  delivered: z.number().int().describe('messages with evidence of delivery, counted once per participant'),
  rated: z.number().int().describe('charged, with a price by the cards known now'),
  free: z.number().int(),
  suspense: z.number().int().describe('delivered, and not to be priced yet'),
  undelivered: z.number().int().describe('messages of which no status proves delivery: never charged'),
  parked: z.number().int().describe('records of the log that wait for an operator and are in none of the other counts'),
  skipped: z.number().int().describe('records that an operator has given up'),
  balanced: z.boolean().describe('delivered = rated + free + suspense'),
});
export type UsageBalance = z.infer<typeof UsageBalance>;

export const BillingDigest = z.object({
  stateDigest: Sha256Hex,
  logDigest: Sha256Hex,
  foldVersion: z.string(),
  rows: z.number().int(),
  offsets: z.array(z.object({ topic: z.string(), partition: z.number().int(), next: z.string() })),
});
export type BillingDigest = z.infer<typeof BillingDigest>;
