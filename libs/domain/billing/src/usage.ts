import type { MarketHint, Pricing } from '@centralita/contracts';
import { effectiveTime, localMonth } from './calendar.js';

/** Charge kinds of one delivered message. Calls come with a later release. */
export type ChargeKind = 'message';

/** What one status webhook says about one message and one participant. */
export type Evidence = {
  readonly eventId: string;
  readonly status: string;
  readonly providerTime: string;
  readonly recordedTime: string;
  readonly pricing: Pricing | null;
};

export type UsageKey = { readonly messageRef: string; readonly participant: string; readonly chargeKind: ChargeKind };

/** All evidence of one key, and where it belongs. */
export type UsageEvidence = UsageKey & {
  readonly wabaId: string;
  readonly phoneNumberId: string;
  readonly marketHint: MarketHint;
  readonly evidence: readonly Evidence[];
};

export const SuspenseReasons = [
  'time_clamped',
  'contradictory_pricing',
  'pricing_missing',
  'pricing_type_unknown',
  'category_missing',
  'no_rate',
  'account_unknown',
] as const;
export type SuspenseReason = (typeof SuspenseReasons)[number];

/** A usage data record: derived, without money, so that a new price never rewrites it. */
export type Usage = UsageKey & {
  readonly wabaId: string;
  readonly phoneNumberId: string;
  readonly marketHint: MarketHint;
  readonly category: string | null;
  readonly pricingType: string | null;
  readonly pricingModel: string | null;
  readonly deliveredAt: string;
  readonly month: string;
  readonly state: 'charged' | 'free' | 'suspense';
  readonly suspenseReason: SuspenseReason | null;
};

/** Statuses that prove delivery: the provider leaves `delivered` out when a message is read at once (billing reference 2.8). */
export const DELIVERY_STATUSES: ReadonlySet<string> = new Set(['delivered', 'read', 'played']);
const freeTypes: ReadonlySet<string> = new Set(['free_customer_service', 'free_entry_point', 'free_group_customer_service']);

/**
 * Folds all evidence of a message into one usage record, or null while nothing proves delivery (`failed` alone is never charged).
 * The result depends on the set of evidence, not on its order: delivered_at is the earliest delivery evidence, and prices are compared as
 * a set. Rules: billing reference 2.8 and 6, correctness rule 8.
 */
export const foldUsage = (of: UsageEvidence, timeZone: string | null): Usage | null => {
  const deliveries = of.evidence
    .filter((evidence) => DELIVERY_STATUSES.has(evidence.status))
    .map((evidence) => effectiveTime(evidence.providerTime, evidence.recordedTime));
  if (deliveries.length === 0) return null;
  const first = Math.min(...deliveries.map(({ at }) => at));

  const pricings = distinct(of.evidence.flatMap(({ pricing }) => (pricing ? [pricing] : [])));
  const [pricing] = pricings;
  const reason = suspenseReason(
    pricings,
    deliveries.some(({ clamped }) => clamped),
    timeZone,
  );
  const exempt = pricing?.subtype === 'paid_exempt';
  const free = exempt || (pricing?.type !== null && pricing?.type !== undefined && freeTypes.has(pricing.type));
  return {
    messageRef: of.messageRef,
    participant: of.participant,
    chargeKind: of.chargeKind,
    wabaId: of.wabaId,
    phoneNumberId: of.phoneNumberId,
    marketHint: of.marketHint,
    category: normalCategory(pricing?.category ?? null),
    pricingType: pricing?.type ?? null,
    pricingModel: pricing?.model ?? null,
    deliveredAt: new Date(first).toISOString(),
    // Without a known zone the record is in suspense; the UTC month only files it somewhere visible.
    month: localMonth(first, timeZone ?? 'UTC'),
    state: reason ? 'suspense' : free ? 'free' : 'charged',
    suspenseReason: reason,
  };
};

const suspenseReason = (pricings: readonly Pricing[], clamped: boolean, timeZone: string | null): SuspenseReason | null => {
  const [pricing] = pricings;
  if (timeZone === null) return 'account_unknown';
  if (clamped) return 'time_clamped';
  if (!pricing) return 'pricing_missing';
  if (pricings.length > 1) return 'contradictory_pricing';
  if (pricing.category === null) return 'category_missing';
  if (pricing.type !== 'regular' && !(pricing.type && freeTypes.has(pricing.type))) return 'pricing_type_unknown';
  return null;
};

/** `billable` is being retired by the provider and does not take part: type and category decide. */
const distinct = (pricings: readonly Pricing[]): Pricing[] => {
  const different = pricings.filter((pricing, index) => pricings.findIndex((other) => samePrice(other, pricing)) === index);
  if (different.length < 2) return different;
  const textOf = (of: Pricing): string => JSON.stringify([of.model, of.type, normalCategory(of.category), of.subtype]);
  return different.sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1));
};

const samePrice = (left: Pricing, right: Pricing): boolean =>
  left.model === right.model &&
  left.type === right.type &&
  normalCategory(left.category) === normalCategory(right.category) &&
  left.subtype === right.subtype;

/** The provider spells this one category with a hyphen in prices and an underscore in origins. */
const normalCategory = (category: string | null): string | null =>
  category === 'authentication_international' ? 'authentication-international' : category;

/** True when nothing that matters to a bill differs; a database may give the fields back in another order. */
export const sameUsage = (left: Usage, right: Usage): boolean =>
  left.marketHint.country === right.marketHint.country &&
  left.marketHint.prefix === right.marketHint.prefix &&
  (Object.keys(right) as (keyof Usage)[]).every((field) => field === 'marketHint' || left[field] === right[field]);

/** Names the rules of the fold. Another version may give other rows from the same log; digests of different versions are not comparable. */
export const FOLD_VERSION = 'usage/1';
