import { definitionOf, PlatformError, type CloudEvent, type Service, type Topic } from '@centralita/contracts';
import { Cause, schemaUri } from '@centralita/contracts';
import type { NewEvent } from './types.js';

/** What stands beside data in the row of an event; with the columns it gives the CloudEvent. */
export type EventMeta = {
  readonly source: string;
  readonly time: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly commandId?: string;
  readonly cause?: Cause;
  readonly keyId?: string;
  readonly traceparent?: string;
};

/** Bytes of data as JSON. Brokers refuse records above about 1 MB, and what the log refuses would block its key for ever. */
const MAX_DATA_BYTES = 900_000;

export const sourceOf = (service: Service): string => `/centralita/${service}`;

const keyIdOf = (data: unknown): string | undefined => {
  if (typeof data !== 'object' || data === null || !('sealed' in data)) return undefined;
  const { sealed } = data;
  if (typeof sealed !== 'object' || sealed === null || !('kid' in sealed)) return undefined;
  return typeof sealed.kid === 'string' ? sealed.kid : undefined;
};

/** Refuses what the catalogue does not allow, and gives the JSON to store and the id of the data key. Throws RECORD_INVALID, RECORD_TOO_LARGE. */
export const checkedData = (event: NewEvent, topic: Topic, service: Service): { json: string; keyId: string | undefined } => {
  const definition = definitionOf(event.type);
  if (!definition) throw new PlatformError('EVENT_UNKNOWN', `the catalogue has no type ${event.type}`, { type: event.type });
  const { type } = event;
  if (definition.topic !== topic)
    throw new PlatformError('RECORD_INVALID', `${type} belongs on ${definition.topic}`, { type, topic });
  if (definition.producers !== 'every service' && !definition.producers.includes(service))
    throw new PlatformError('RECORD_INVALID', `${service} is no producer of ${type}`, { type, service });
  const parsed = definition.data.safeParse(event.data);
  if (!parsed.success) {
    const paths = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw new PlatformError('RECORD_INVALID', `data of ${type} breaks its schema at ${paths.join(', ')}`, { type, paths });
  }
  const json = JSON.stringify(parsed.data);
  if (Buffer.byteLength(json) > MAX_DATA_BYTES)
    throw new PlatformError('RECORD_TOO_LARGE', `data of ${type} is too large`, { type });
  return { json, keyId: keyIdOf(parsed.data) };
};

export type EventRow = {
  readonly tenant_id: string;
  readonly topic: string;
  readonly key: string;
  readonly key_version: string;
  readonly stream_id: string;
  readonly stream_version: string;
  readonly event_id: string;
  readonly type: string;
  readonly data: unknown;
  readonly meta: EventMeta;
  readonly recorded_at: Date;
  readonly domain_seq: string | null;
};

/** The event as it goes to the log. The same row gives the same bytes each time. */
export const cloudEventOf = (row: EventRow): CloudEvent => ({
  specversion: '1.0',
  id: row.event_id,
  source: row.meta.source,
  type: row.type,
  time: row.meta.time,
  subject: row.stream_id,
  datacontenttype: 'application/json',
  dataschema: schemaUri(row.type),
  tenantid: row.tenant_id,
  recordedtime: row.recorded_at.toISOString(),
  correlationid: row.meta.correlationId,
  causationid: row.meta.causationId,
  keyversion: row.key_version,
  streamversion: row.stream_version,
  ...(row.domain_seq === null ? {} : { domainseq: row.domain_seq }),
  ...(row.meta.cause === undefined ? {} : { cause: row.meta.cause }),
  ...(row.meta.keyId === undefined ? {} : { keyid: row.meta.keyId }),
  data: row.data,
});
