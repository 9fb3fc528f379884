import type { RoutingEvent } from '@centralita/domain-routing';
import type { NewEvent } from '@centralita/event-store';
import type { Input } from '../inputs/input-table.js';
import { policyStream, taskStream } from '../ids.js';

/** Stream of an event; what concerns no customer is also keyed by it. */
const streamOf = (tenantId: string, event: RoutingEvent): string => {
  switch (event.type) {
    case 'agent.defined.v1':
    case 'agent.presence.changed.v1':
    case 'agent.capacity.changed.v1':
      return event.data.agentId;
    case 'queue.defined.v1':
      return event.data.queueId;
    case 'routing.policy.published.v1':
      return policyStream(tenantId);
    default:
      return taskStream(tenantId, event.data.conversationId);
  }
};

/** An event of the domain as the store takes it. The domain's lock makes its writer the only one, so any version will do. */
export const toNewEvent = (tenantId: string, event: RoutingEvent, input: Input): NewEvent => {
  const streamId = streamOf(tenantId, event);
  const { causationId, correlationId, cause, traceparent } = input.origin;
  return {
    ...event,
    key: 'subjectId' in event.data ? event.data.subjectId : streamId,
    streamId,
    expectedVersion: 'any',
    time: new Date(input.at),
    causationId,
    ...(correlationId === null ? {} : { correlationId }),
    ...(cause === null ? {} : { cause }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
};
