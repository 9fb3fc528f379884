import { z } from 'zod';
import { defineEvent } from '../define.js';
import {
  CurrencyCode,
  DecimalInteger,
  Instant,
  MarketHint,
  MessageRef,
  Month,
  Participant,
  Sha256Hex,
  Uuid,
} from '../primitives.js';

const base = { topic: 'billing.events.v1', producers: ['billing'], id: 'new', personal: [] } as const;

/** Price per unit in nano-units (10^-9) of the card's currency. */
export const NanoAmount = DecimalInteger;

export const rateCardPublished = defineEvent({
  ...base,
  key: 'stream',
  type: 'rate.card.published.v1',
  consumers: ['billing'],
  summary: "A supplier's price list as printed: valid from a local date of the account, known since an instant.",
  data: z.object({
    cardId: Uuid,
    supplier: z.string().max(64),
    currency: CurrencyCode,
    validFrom: z.iso.date().describe("in the account's time zone"),
    knownAt: Instant,
    era: z.enum(['E4', 'E5']).describe('which messages are charged: E4 until 2026-09-30, E5 since 2026-10-01'),
    markets: z
      .array(
        z.object({
          market: z.string().max(64),
          countries: z.array(z.string().regex(/^[A-Z]{2}$/)),
          prefixes: z.array(z.string().regex(/^\d{1,4}$/)),
        }),
      )
      .max(300),
    rows: z.array(z.object({ market: z.string().max(64), category: z.string().max(64), rate: NanoAmount })).max(5000),
    source: z.object({ description: z.string().max(200), sha256: Sha256Hex }),
  }),
});

export const ChargeKinds = ['message'] as const;

export const usageRecorded = defineEvent({
  ...base,
  key: 'subject',
  type: 'usage.recorded.v1',
  consumers: [],
  summary:
    'One delivered message of ours to one participant, as far as the evidence says; again with a higher revision when it changes. Never read by the billing fold.',
  data: z.object({
    usageId: Uuid,
    revision: z.number().int().min(1),
    messageRef: MessageRef,
    participant: Participant,
    chargeKind: z.enum(ChargeKinds),
    wabaId: z.string().max(64),
    phoneNumberId: z.string().max(64),
    marketHint: MarketHint,
    category: z.string().max(64).nullable(),
    pricingType: z.string().max(64).nullable(),
    pricingModel: z.string().max(32).nullable(),
    deliveredAt: Instant,
    month: Month.describe("of deliveredAt in the account's time zone"),
    state: z.enum(['charged', 'free', 'suspense']),
    suspenseReason: z.string().max(64).nullable(),
  }),
});

export const periodClosed = defineEvent({
  ...base,
  key: 'stream',
  type: 'period.closed.v1',
  consumers: ['billing'],
  summary: 'The month is final: offsets and the root of what it includes. Late evidence becomes a correction in the open period.',
  data: z.object({
    periodId: Uuid,
    wabaId: z.string().max(64),
    month: Month,
    timeZone: z.string().max(64),
    offsets: z.array(z.object({ topic: z.string().max(64), partition: z.number().int(), next: DecimalInteger })).max(1000),
    usageRoot: Sha256Hex.describe('RFC 6962 root over (usage id, revision)'),
    usageCount: z.number().int().nonnegative(),
    suspenseCount: z.number().int().nonnegative(),
    parkedKeys: z.number().int().nonnegative(),
    totals: z.array(z.object({ currency: CurrencyCode, amount: NanoAmount })).max(20),
    closedAt: Instant,
  }),
});

const Invoice = z.object({
  invoiceId: Uuid,
  number: z.string().max(64),
  periodId: Uuid,
  wabaId: z.string().max(64),
  month: Month,
  digest: Sha256Hex,
  currency: CurrencyCode,
  amount: NanoAmount,
  issuedAt: Instant,
});
export const invoiceIssued = defineEvent({
  ...base,
  key: 'stream',
  type: 'invoice.issued.v1',
  consumers: [],
  summary: 'A numbered document over a closed period.',
  data: Invoice,
});
export const invoiceCorrected = defineEvent({
  ...base,
  key: 'stream',
  type: 'invoice.corrected.v1',
  consumers: [],
  summary: 'A document that corrects an earlier one.',
  data: Invoice.extend({ corrects: Uuid }),
});

export const replayVerified = defineEvent({
  ...base,
  key: 'stream',
  type: 'replay.verified.v1',
  consumers: [],
  summary: 'The fold was rebuilt from the log and gave this digest.',
  data: z.object({
    runId: Uuid,
    logDigest: Sha256Hex,
    stateDigest: Sha256Hex,
    equal: z.boolean(),
    records: DecimalInteger,
    verifiedAt: Instant,
  }),
});

export const billingEvents = [
  rateCardPublished,
  usageRecorded,
  periodClosed,
  invoiceIssued,
  invoiceCorrected,
  replayVerified,
] as const;
