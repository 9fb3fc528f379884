import { z } from 'zod';
import { catalogue, type EventType } from '../catalogue.js';
import { schemaUri, type CloudEvent } from '../envelope.js';

type Schema = {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  format?: string;
  pattern?: string;
  minItems?: number;
  minimum?: number;
};

const byFormat: Record<string, string> = {
  uuid: '0190b7c0-0000-7000-8000-000000000001',
  'date-time': '2026-10-01T00:00:00.000Z',
  date: '2026-10-01',
};
const byPattern: readonly (readonly [RegExp, string])[] = [
  [/\{22\}/, 'AAECAwQFBgcICQoLDA0ODw'],
  [/\{43\}/, 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'],
  [/\{64\}/, '00'.repeat(32)],
  [/A-Z\]\{2\}/, 'ES'],
  [/A-Z\]\{3\}/, 'USD'],
  [/1\[0-2\]/, '2026-10'],
  [/\{1,4\}/, '34'],
];

/** A smallest valid value of a schema: deterministic, so that the frozen fixture of a type can be made again byte for byte. */
const sampleOf = (schema: Schema): unknown => {
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return sampleOf(alternatives.find((candidate) => candidate.type !== 'null') ?? { type: 'null' });
  switch (Array.isArray(schema.type) ? schema.type.find((type) => type !== 'null') : schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([key]) => schema.required?.includes(key))
          .map(([key, value]) => [key, sampleOf(value)]),
      );
    case 'array':
      return [sampleOf(schema.items ?? { type: 'string' })];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      if (schema.format && byFormat[schema.format]) return byFormat[schema.format];
      return byPattern.find(([pattern]) => schema.pattern && pattern.test(schema.pattern))?.[1] ?? '1';
  }
};

/** An example event of a type, as it stands on the log. */
export const sampleEvent = (type: EventType): CloudEvent => {
  const definition = catalogue.find((candidate) => candidate.type === type);
  if (!definition) throw new Error(`unknown event type ${type}`);
  const id = '0190b7c0-0000-7000-8000-0000000000aa';
  return {
    specversion: '1.0',
    id,
    source: `/centralita/${typeof definition.producers === 'string' ? 'conversation' : definition.producers[0]}`,
    type,
    time: '2026-10-01T00:00:00.000Z',
    subject: '0190b7c0-0000-7000-8000-000000000002',
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: '0190b7c0-0000-7000-8000-000000000003',
    recordedtime: '2026-10-01T00:00:00.250Z',
    correlationid: id,
    causationid: null,
    data: sampleOf(z.toJSONSchema(definition.data, { target: 'draft-2020-12', io: 'input' }) as Schema),
  };
};
