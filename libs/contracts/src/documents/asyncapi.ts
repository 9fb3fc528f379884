import { catalogue } from '../catalogue.js';
import { Topics } from '../define.js';
import { CONTENT_TYPE } from '../envelope.js';
import { dataSchemas, envelopeSchema } from './json-schema.js';

const name = (type: string): string => type.replaceAll('.', '_');

/** AsyncAPI 3 document of all topics and events, made from the catalogue. */
export const asyncApi = (): Record<string, unknown> => {
  const schemas = dataSchemas();
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Centralita events',
      version: '1.0.0',
      description:
        'Every topic is append-only, has twelve partitions, is never compacted and is kept without limit. Values are CloudEvents 1.0 in structured mode.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: CONTENT_TYPE,
    channels: Object.fromEntries(
      Topics.map((topic) => [
        name(topic),
        {
          address: topic,
          messages: Object.fromEntries(
            catalogue
              .filter((event) => event.topic === topic)
              .map((event) => [name(event.type), { $ref: `#/components/messages/${name(event.type)}` }]),
          ),
          bindings: { kafka: { topic, partitions: 12 } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      Topics.map((topic) => [
        `publish_${name(topic)}`,
        { action: 'send', channel: { $ref: `#/channels/${name(topic)}` }, summary: `Records of ${topic}` },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        catalogue.map((event) => [
          name(event.type),
          {
            name: event.type,
            title: event.type,
            summary: event.summary,
            contentType: CONTENT_TYPE,
            headers: {
              type: 'object',
              properties: { 'content-type': { type: 'string', const: CONTENT_TYPE }, traceparent: { type: 'string' } },
            },
            payload: {
              allOf: [
                { $ref: '#/components/schemas/CloudEvent' },
                {
                  type: 'object',
                  properties: { type: { const: event.type }, data: { $ref: `#/components/schemas/${name(event.type)}` } },
                },
              ],
            },
            'x-key': event.key,
            'x-id-formula': event.id,
            'x-producers': event.producers,
            'x-consumers': event.consumers,
            'x-personal-fields': event.personal,
          },
        ]),
      ),
      schemas: {
        CloudEvent: bare(envelopeSchema()),
        ...Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [name(type), bare(schema)])),
      },
    },
  };
};

// A component is addressed by its place in the document; an absolute $id would move the base of its references.
const bare = (schema: Record<string, unknown>): Record<string, unknown> => {
  const { $id: _id, $schema: _schema, ...rest } = schema;
  return rest;
};
