// Records as they stand on the platform's topics, for benches that read them.
import { randomBytes, randomUUID } from 'node:crypto';
import { encodeEvent, schemaUri, type EventData, type EventType } from '@centralita/contracts';
import { eventRecord, type LogRecord } from '@centralita/event-log';

export const TENANT = '0190b7c0-0000-7000-8000-000000000003';
export const WABA = '501';

const TIME = '2026-11-10T10:00:00.000Z';

type Place = { readonly topic: string; readonly key: string; readonly keyVersion?: number };

const record = <T extends EventType>(type: T, data: EventData<T>, { topic, key, keyVersion }: Place): LogRecord => {
  const id = randomUUID();
  const value = encodeEvent({
    specversion: '1.0',
    id,
    source: '/centralita/bench',
    type,
    time: TIME,
    subject: key,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: TENANT,
    recordedtime: TIME,
    correlationid: id,
    causationid: null,
    ...(keyVersion === undefined ? {} : { keyversion: String(keyVersion) }),
    data,
  });
  return eventRecord({ topic, key, value });
};

/** An event of a service, with the version of its key. */
export const contactIdentified = (key: string, keyVersion: number): LogRecord =>
  record(
    'contact.identified.v1',
    { contactId: randomUUID(), subjectId: key },
    { topic: 'conversation.events.v1', key, keyVersion },
  );

/** A status of a message as the webhook records it, its sealed part as long as a real one. */
export const statusChanged = (key: string, messageRef: string, status: string): LogRecord =>
  record(
    'whatsapp.status.changed.v1',
    {
      app: 'bench',
      wabaId: WABA,
      phoneNumberId: '501-1',
      messageRef,
      sendId: null,
      status,
      providerTime: TIME,
      participant: '-',
      marketHint: { country: 'ES', prefix: '3460' },
      pricing: status === 'sent' ? null : { model: 'PMP', type: 'regular', category: 'service', subtype: null, billable: true },
      origin: null,
      errorCodes: [],
      sealed: {
        id: randomUUID(),
        subject: key,
        schema: 'wa.item.v1',
        kid: randomUUID(),
        nonce: randomBytes(12).toString('base64'),
        ct: randomBytes(420).toString('base64'),
      },
    },
    { topic: 'wa.inbound.v1', key },
  );

export const newMessageRef = (): string => randomBytes(16).toString('base64url');
