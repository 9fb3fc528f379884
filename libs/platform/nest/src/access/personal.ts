import { personalSchemas } from '@centralita/contracts';
import type { z } from 'zod';
import { isBinarySchema } from '../endpoint/binary.js';

type Definition = Readonly<Record<string, unknown>> & { readonly type: string };
const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;
const isSchema = (value: unknown): value is z.core.$ZodType => typeof value === 'object' && value !== null && '_zod' in value;

/** Schemas inside a schema, with the name under which each stands. */
const childrenOf = (schema: z.core.$ZodType): [string, z.core.$ZodType][] => {
  const definition = definitionOf(schema);
  if (definition.type === 'lazy') return [['', (definition.getter as () => z.core.$ZodType)()]];
  return Object.entries(definition).flatMap(([name, value]): [string, z.core.$ZodType][] => {
    if (isSchema(value)) return [[name === 'element' || name === 'valueType' ? '[]' : '', value]];
    if (Array.isArray(value)) return value.filter(isSchema).map((item) => ['', item]);
    if (name === 'shape') return Object.entries(value as Record<string, z.core.$ZodType>);
    return [];
  });
};

/** Describing a marked schema makes a copy that only knows its original, so the originals are asked too. */
const isMarked = (schema: z.core.$ZodType): boolean => {
  if (personalSchemas.has(schema)) return true;
  const { parent } = schema._zod;
  return parent !== undefined && isMarked(parent);
};

/** Paths of the fields of a schema that are marked `personal()`. Bytes are always personal: they are media. */
export const personalFields = (schema: z.core.$ZodType, path = '', seen: ReadonlySet<unknown> = new Set()): string[] => {
  if (isMarked(schema) || isBinarySchema(schema as z.ZodType)) return [path || '(body)'];
  if (seen.has(schema)) return [];
  const inside = new Set([...seen, schema]);
  return childrenOf(schema).flatMap(([name, child]) =>
    personalFields(child, [path, name].filter((part) => part !== '').join('.'), inside),
  );
};
