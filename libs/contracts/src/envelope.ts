import { z } from 'zod';
import { definitionOf, type EventData, type EventType } from './catalogue.js';
import { DecimalInteger, Instant, Uuid } from './primitives.js';

/** The record that made an event happen: where its cause stands on the log. */
export const Cause = z.object({ topic: z.string(), partition: z.number().int(), offset: DecimalInteger });
export type Cause = z.infer<typeof Cause>;

/**
 * CloudEvents 1.0, structured mode: the whole event is the record's value, so that a digest over the value covers id, type, time
 * and tenant. Extension names are lower case as the specification asks; numbers that can pass 2^31 are decimal strings.
 */
export const CloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: Uuid,
  source: z.string().max(80).describe('/centralita/<service>'),
  type: z.string().max(80),
  time: Instant.describe('when it happened: clock of the provider or the decider'),
  subject: z.string().max(80).describe('stream id'),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().max(120),
  tenantid: Uuid,
  recordedtime: Instant.describe('when it became durable'),
  correlationid: z.string().max(80).describe('first event of the flow'),
  causationid: z.string().max(80).nullable().describe('event or command that was handled'),
  keyversion: DecimalInteger.optional().describe('gapless per (topic, key); absent on topics that are produced directly'),
  streamversion: DecimalInteger.optional(),
  domainseq: DecimalInteger.optional().describe('position in the routing domain'),
  cause: Cause.optional(),
  keyid: z.string().max(64).optional().describe('data key of data.sealed'),
  data: z.unknown(),
});
export type CloudEvent = Omit<z.infer<typeof CloudEvent>, 'data'> & { data: unknown };
export type TypedEvent<Type extends EventType> = Omit<CloudEvent, 'type' | 'data'> & { type: Type; data: EventData<Type> };

export const CONTENT_TYPE = 'application/cloudevents+json';

/** Why a record could not be read as an event. `unknown_type` is not an error of the record: an older consumer meets a newer producer. */
export type DecodeProblem = {
  readonly problem: 'not_json' | 'not_an_event' | 'unknown_type' | 'data_invalid';
  readonly detail: string;
};
export type Decoded = { readonly event: CloudEvent } | DecodeProblem;

/** Turns the data of an older schema of the same type into today's. Runs after decryption, at the read edge; the log is never rewritten. */
export type Upcaster = (data: unknown, dataschema: string) => unknown;

export const schemaUri = (type: string): string => `urn:centralita:schema:${type}`;

/** Validates data against the catalogue and gives the record's bytes. Throws a ZodError when a producer breaks its own contract. */
export const encodeEvent = (event: CloudEvent): Buffer => {
  const definition = definitionOf(event.type);
  if (!definition) throw new Error(`unknown event type ${event.type}`);
  definition.data.parse(event.data);
  return Buffer.from(JSON.stringify(event), 'utf8');
};

/** Reads the bytes of a record up to its data, which stays as it came: enough to see that an event is not needed. Never throws. */
export const decodeEnvelope = (value: Buffer | null): Decoded => {
  let json: unknown;
  try {
    json = JSON.parse((value ?? Buffer.alloc(0)).toString('utf8'));
  } catch (error) {
    return { problem: 'not_json', detail: error instanceof Error ? error.name : 'unreadable' };
  }
  const envelope = CloudEvent.safeParse(json);
  if (!envelope.success)
    return { problem: 'not_an_event', detail: envelope.error.issues.map((issue) => issue.path.join('.')).join(', ') };
  return { event: { ...envelope.data, data: envelope.data.data } };
};

/** Checks the data of an event whose envelope was read against the catalogue. Never throws. */
export const decodeData = (event: CloudEvent, upcast: (type: string) => Upcaster | undefined = () => undefined): Decoded => {
  const definition = definitionOf(event.type);
  if (!definition) return { problem: 'unknown_type', detail: event.type };
  const data = upcast(event.type)?.(event.data, event.dataschema) ?? event.data;
  const parsed = definition.data.safeParse(data);
  if (!parsed.success)
    return { problem: 'data_invalid', detail: parsed.error.issues.map((issue) => issue.path.join('.')).join(', ') };
  return { event: { ...event, data: parsed.data } };
};

/** Reads the bytes of a record. Never throws: what cannot be read comes back as a problem, for the caller to park. */
export const decodeEvent = (value: Buffer | null, upcast?: (type: string) => Upcaster | undefined): Decoded => {
  const read = decodeEnvelope(value);
  return 'event' in read ? decodeData(read.event, upcast) : read;
};

/** Narrows an event to one type of the catalogue. */
export const isType = <Type extends EventType>(event: CloudEvent, type: Type): event is CloudEvent & TypedEvent<Type> =>
  event.type === type;
