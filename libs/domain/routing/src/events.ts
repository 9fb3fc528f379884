import type { EventData, EventType, routingEvents } from '@centralita/contracts';

/** Types that stand on `routing.events.v1`. */
export type RoutingEventType = Extract<EventType, (typeof routingEvents)[number]['type']>;
/** One event of the domain: what the decider gives and the fold takes. Key, stream and ids of the envelope are the service's. */
export type RoutingEvent = {
  [Type in RoutingEventType]: { readonly type: Type; readonly data: EventData<Type> };
}[RoutingEventType];
export type RoutingEventOf<Type extends RoutingEventType> = Extract<RoutingEvent, { type: Type }>;
