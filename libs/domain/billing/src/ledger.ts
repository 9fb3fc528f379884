import type { EventData, MarketHint } from '@centralita/contracts';
import canonicalize from 'canonicalize';
import type { RateCard } from './rate-card.js';
import { FOLD_VERSION, foldUsage, sameUsage, type ChargeKind, type Evidence, type Usage } from './usage.js';

/** A status of the log, as the fold needs it. `subjectKey` is the record's key. */
export type StatusFact = {
  readonly eventId: string;
  readonly subjectKey: string;
  readonly recordedTime: string;
  readonly data: EventData<'whatsapp.status.changed.v1'>;
};

/** All that the fold knows of one message and participant: one row of its table. */
export type UsageState = {
  readonly messageRef: string;
  readonly participant: string;
  readonly chargeKind: ChargeKind;
  readonly subjectKey: string;
  readonly wabaId: string;
  readonly phoneNumberId: string;
  readonly marketHint: MarketHint;
  readonly revision: number;
  readonly usage: Usage | null;
  readonly evidence: readonly Evidence[];
};

export const usageKey = (of: { readonly messageRef: string; readonly participant: string }): string =>
  `${of.messageRef}/${of.participant}`;

/** A message of which nothing is known yet. The first evidence decides where it belongs; a later one says the same of it. */
export const initialUsage = ({ subjectKey, data }: StatusFact): UsageState => ({
  messageRef: data.messageRef,
  participant: data.participant,
  chargeKind: 'message',
  subjectKey,
  wabaId: data.wabaId,
  phoneNumberId: data.phoneNumberId,
  marketHint: data.marketHint,
  revision: 0,
  usage: null,
  evidence: [],
});

/**
 * One status more. A status that is there already changes nothing; a changed outcome counts a revision. Statuses are taken one by one in
 * the order of the log, so that revisions do not depend on how the log was cut into batches.
 */
export const evolveUsage = (state: UsageState, fact: StatusFact, timeZone: string | null): UsageState => {
  if (state.evidence.some((evidence) => evidence.eventId === fact.eventId)) return state;
  const { status, providerTime, pricing } = fact.data;
  const evidence = [...state.evidence, { eventId: fact.eventId, status, providerTime, recordedTime: fact.recordedTime, pricing }];
  const usage = foldUsage({ ...state, evidence }, timeZone);
  if (!usage || (state.usage && sameUsage(state.usage, usage))) return { ...state, evidence };
  return { ...state, evidence, usage, revision: state.revision + 1 };
};

/**
 * Digest S in the making: the canonical text (RFC 8785) of all rows in the order of their keys, line by line, for a hash. Equal folds of
 * equal logs give equal texts on any machine.
 */
export function* stateText(states: Iterable<UsageState>, cards: Iterable<RateCard>): Generator<string> {
  yield `${FOLD_VERSION}\n`;
  for (const [, state] of sorted(states, usageKey)) yield `${rowText(state)}\n`;
  for (const [, card] of sorted(cards, (one) => one.cardId)) yield `${canonicalize(card)}\n`;
}

const sorted = <Item>(items: Iterable<Item>, keyOf: (item: Item) => string): [string, Item][] =>
  Array.from(items, (item): [string, Item] => [keyOf(item), item]).sort(([left], [right]) =>
    left < right ? -1 : left > right ? 1 : 0,
  );

/** Evidence is left out. Fields are named in the order in which RFC 8785 sorts them: plain JSON is canonical then, and much faster. */
const rowText = ({ usage, ...state }: UsageState): string =>
  JSON.stringify({
    chargeKind: state.chargeKind,
    marketHint: hintText(state.marketHint),
    messageRef: state.messageRef,
    participant: state.participant,
    phoneNumberId: state.phoneNumberId,
    revision: state.revision,
    subjectKey: state.subjectKey,
    usage:
      usage &&
      ({
        category: usage.category,
        chargeKind: usage.chargeKind,
        deliveredAt: usage.deliveredAt,
        marketHint: hintText(usage.marketHint),
        messageRef: usage.messageRef,
        month: usage.month,
        participant: usage.participant,
        phoneNumberId: usage.phoneNumberId,
        pricingModel: usage.pricingModel,
        pricingType: usage.pricingType,
        state: usage.state,
        suspenseReason: usage.suspenseReason,
        wabaId: usage.wabaId,
      } satisfies Usage),
    wabaId: state.wabaId,
  } satisfies Omit<UsageState, 'evidence'>);

const hintText = ({ country, prefix }: MarketHint): MarketHint => ({ country, prefix });

/** The usage fold of one tenant in memory: what the service keeps in tables, for replays without a database. */
export class UsageLedger {
  readonly #states = new Map<string, UsageState>();
  readonly #cards = new Map<string, RateCard>();

  constructor(private readonly timeZoneOf: (wabaId: string) => string | null) {}

  applyStatus(fact: StatusFact): void {
    const key = usageKey(fact.data);
    const state = this.#states.get(key) ?? initialUsage(fact);
    this.#states.set(key, evolveUsage(state, fact, this.timeZoneOf(state.wabaId)));
  }

  applyCard(card: RateCard): void {
    if (!this.#cards.has(card.cardId)) this.#cards.set(card.cardId, card);
  }

  get rows(): number {
    return this.#states.size + this.#cards.size;
  }

  text(): Generator<string> {
    return stateText(this.#states.values(), this.#cards.values());
  }
}
