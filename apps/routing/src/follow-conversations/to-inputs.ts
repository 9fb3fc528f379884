import { isType, PlatformError, type CloudEvent, type EventData } from '@centralita/contracts';
import { toMillis, toMillisOrNull, type RoutingFact } from '@centralita/domain-routing';
import type { ConversationFact } from './facts.js';

/** Conversations that a batch speaks of, as they become known event by event. */
export class KnownConversations {
  readonly #byId = new Map<string, ConversationFact>();
  readonly #changed = new Set<string>();

  constructor(facts: readonly ConversationFact[]) {
    for (const fact of facts) this.#byId.set(fact.conversationId, fact);
  }

  get(conversationId: string): ConversationFact | undefined {
    return this.#byId.get(conversationId);
  }

  set(fact: ConversationFact): void {
    this.#byId.set(fact.conversationId, fact);
    this.#changed.add(fact.conversationId);
  }

  /** The window belongs to (number, subject): it counts for the newest conversation of the two. */
  newest(phoneNumberId: string, subjectId: string): ConversationFact | undefined {
    let newest: ConversationFact | undefined;
    for (const fact of this.#byId.values())
      if (fact.phoneNumberId === phoneNumberId && fact.subjectId === subjectId && fact.ordinal > (newest?.ordinal ?? 0))
        newest = fact;
    return newest;
  }

  changed(): ConversationFact[] {
    return [...this.#changed].flatMap((id) => this.#byId.get(id) ?? []);
  }
}

const opened = (known: KnownConversations, data: EventData<'conversation.opened.v1'>): RoutingFact => {
  const fact = {
    conversationId: data.conversationId,
    subjectId: data.subjectId,
    phoneNumberId: data.phoneNumberId,
    ordinal: data.ordinal,
    language: data.language,
    windowExpiresAt: toMillisOrNull(data.windowExpiresAt),
  };
  known.set(fact);
  const { ordinal: _, ...conversation } = fact;
  return { kind: 'conversation.opened', ...conversation };
};

const reopened = (known: KnownConversations, data: EventData<'conversation.reopened.v1'>): RoutingFact => {
  const fact = known.get(data.conversationId);
  if (!fact) throw new PlatformError('CAUSE_MISSING', 'reopened, but never opened', { conversationId: data.conversationId });
  const windowExpiresAt = toMillisOrNull(data.windowExpiresAt) ?? fact.windowExpiresAt;
  known.set({ ...fact, windowExpiresAt });
  const { ordinal: _, ...conversation } = fact;
  return { kind: 'conversation.reopened', ...conversation, windowExpiresAt };
};

const windowOpened = (known: KnownConversations, data: EventData<'conversation.window.opened.v1'>): RoutingFact | null => {
  const fact = known.newest(data.phoneNumberId, data.subjectId);
  // Before the first conversation there is nothing to route; its opening carries the window.
  if (!fact) return null;
  const windowExpiresAt = toMillis(data.expiresAt);
  known.set({ ...fact, windowExpiresAt });
  return { kind: 'window.moved', conversationId: fact.conversationId, windowExpiresAt };
};

/** What an event of conversation means for routing; null when nothing. Notes in `known` what later events build on. */
export const toInput = (known: KnownConversations, event: CloudEvent): RoutingFact | null => {
  if (isType(event, 'conversation.opened.v1')) return opened(known, event.data);
  if (isType(event, 'conversation.reopened.v1')) return reopened(known, event.data);
  if (isType(event, 'conversation.window.opened.v1')) return windowOpened(known, event.data);
  if (isType(event, 'conversation.closed.v1')) return { kind: 'conversation.closed', conversationId: event.data.conversationId };
  if (isType(event, 'conversation.transfer.requested.v1')) {
    const { conversationId, transferId, agentId, toQueueId, toAgentId } = event.data;
    const windowExpiresAt = known.get(conversationId)?.windowExpiresAt ?? null;
    return { kind: 'transfer.requested', conversationId, transferId, agentId, toQueueId, toAgentId, windowExpiresAt };
  }
  return null;
};
