import { z } from 'zod';
import { catalogue } from '../catalogue.js';
import { CloudEvent, schemaUri } from '../envelope.js';

type JsonSchema = Record<string, unknown>;

/** JSON Schema 2020-12 of the data of every event type, by type. The released copies of these never change. */
export const dataSchemas = (): Record<string, JsonSchema> =>
  Object.fromEntries(
    catalogue.map((definition) => [
      definition.type,
      { $id: schemaUri(definition.type), title: definition.type, description: definition.summary, ...schemaOf(definition.data) },
    ]),
  );

/** JSON Schema of the envelope that all events share. */
export const envelopeSchema = (): JsonSchema => ({
  $id: 'urn:centralita:schema:cloudevent',
  title: 'CloudEvent',
  ...schemaOf(CloudEvent),
});

// Consumers ignore fields they do not know, so an object stays open in the document.
const schemaOf = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
