import type { z } from 'zod';
import type { EventDefinition, Topic } from './define.js';
import { accessEvents } from './events/access.js';
import { auditEvents } from './events/audit.js';
import { billingEvents } from './events/billing.js';
import { conversationEvents } from './events/conversation.js';
import { inboundEvents } from './events/inbound.js';
import { operationsEvents } from './events/operations.js';
import { outboundEvents } from './events/outbound.js';
import { routingEvents } from './events/routing.js';

/** Every event of the platform, in one list; documents, fixtures and start-up checks are made from it. */
export const catalogue = [
  ...inboundEvents,
  ...outboundEvents,
  ...conversationEvents,
  ...routingEvents,
  ...billingEvents,
  ...accessEvents,
  ...operationsEvents,
  ...auditEvents,
] as const;

type Definition = (typeof catalogue)[number];
export type EventType = Definition['type'];
/** The `data` of one event type. */
export type EventData<Type extends EventType> = z.infer<Extract<Definition, { type: Type }>['data']>;

const byType = new Map<string, EventDefinition>(catalogue.map((definition) => [definition.type, definition]));

/** The definition of a type, or undefined when no release of the catalogue knows it. */
export const definitionOf = (type: string): EventDefinition | undefined => byType.get(type);

/** Types that may stand on a topic. */
export const typesOf = (topic: Topic): EventType[] =>
  catalogue.filter((definition) => definition.topic === topic).map((definition) => definition.type);
