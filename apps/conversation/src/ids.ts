import { v5 as uuidV5 } from 'uuid';
import type { DomainEvent } from '@centralita/domain-conversation';
import type { EventType } from '@centralita/contracts';

/** Stream of a case. The same line and ordinal give the same id everywhere, so two writers cannot open one case twice. */
export const conversationIdOf = (tenantId: string, phoneNumberId: string, subjectId: string, ordinal: number): string =>
  uuidV5(`${phoneNumberId}:${subjectId}:${String(ordinal)}`, tenantId);

/** The contact that a subject founds. */
export const contactIdOf = (tenantId: string, subjectId: string): string => uuidV5(`contact:${subjectId}`, tenantId);

export const windowIdOf = (tenantId: string, phoneNumberId: string, subjectId: string): string =>
  uuidV5(`window:${phoneNumberId}:${subjectId}`, tenantId);

/** Types that this service appends today. */
export type OwnEvent = DomainEvent<Extract<EventType, `conversation.${string}`> | 'contact.identified.v1'>;

/** The stream that a fact belongs to. */
export const streamOf = (tenantId: string, event: OwnEvent): string => {
  switch (event.type) {
    case 'contact.identified.v1':
      return event.data.contactId;
    case 'conversation.window.opened.v1':
      return windowIdOf(tenantId, event.data.phoneNumberId, event.data.subjectId);
    default:
      return event.data.conversationId;
  }
};
