import { randomUUID } from 'node:crypto';
import { schemaUri, type CloudEvent, type EventData, type EventType } from '@centralita/contracts';

/** A person with a phone, and their key. */
export type Customer = { readonly subjectId: string; readonly phone: string; readonly name: string };
export type MessageOptions = {
  readonly type?: string;
  readonly body?: object;
  readonly at?: Date;
  readonly wamid?: string;
  readonly eventId?: string;
  readonly group?: { readonly subjectId: string; readonly groupId: string };
  readonly context?: string;
  readonly media?: EventData<'whatsapp.message.received.v1'>['media'];
};

/** An event as its producer would put it on the log. */
export const cloudEvent = <Type extends EventType>(
  tenantId: string,
  now: Date,
  type: Type,
  key: string,
  data: EventData<Type>,
  more: Partial<CloudEvent> = {},
): CloudEvent => {
  const id = more.id ?? randomUUID();
  return {
    specversion: '1.0',
    id,
    source: '/centralita/test',
    type,
    time: now.toISOString(),
    subject: key,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: tenantId,
    recordedtime: now.toISOString(),
    correlationid: id,
    causationid: null,
    data,
    ...more,
  };
};
