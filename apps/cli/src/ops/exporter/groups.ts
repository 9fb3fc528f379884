import type { Topic } from '@centralita/contracts';

/** Consumer groups and what they read. Held equal to what the services subscribe to by the spec beside. */
export const groupTopics: Readonly<Record<string, readonly Topic[]>> = {
  'ingest-media': ['wa.inbound.v1'],
  'ingest-sender': ['conversation.events.v1', 'wa.inbound.v1'],
  conversation: ['routing.events.v1', 'wa.inbound.v1', 'wa.outbound.v1'],
  routing: ['conversation.events.v1'],
  billing: ['billing.events.v1', 'wa.inbound.v1'],
  'audit-log': ['access.events.v1', 'conversation.events.v1', 'operations.events.v1', 'routing.events.v1'],
};
