import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { fillPage, valuesTable } from './readme.js';
import { schemaOf } from './schema.js';
import { readValues } from './values.js';

const text = `
# Not of a key.

# -- How many.
# @schema {"minimum": 1}
replicas: 2
# Shared with others.
global:
  # -- A registry.
  registry: ''
# What each takes.
# @definition part
defaults:
  # -- Names of things, on
  # two lines.
  # @schema {"items": {"type": "string"}}
  names: [a]
  peers:
    - namespaceSelector:
        key: in a list
  # -- None by default.
  # @schema {"type": ["integer", "null"]}
  limit: null
# @schema {"$ref": "#/definitions/part"}
first:
  limit: 3
`;

describe('values.yaml', () => {
  const values = readValues(text);

  it('is read with its comments, without what stands in lists', () => {
    expect(values.map(({ path }) => path.join('.'))).toEqual([
      'replicas',
      'global',
      'global.registry',
      'defaults',
      'defaults.names',
      'defaults.peers',
      'defaults.limit',
      'first',
      'first.limit',
    ]);
    expect(values[0]).toEqual(expect.objectContaining({ value: 2, description: 'How many.', schema: { minimum: 1 } }));
    expect(values[1]?.remark).toBe('Shared with others.');
    expect(values[4]?.description).toBe('Names of things, on two lines.');
  });

  it('gives a schema that takes the defaults and refuses what is not known, but in global', () => {
    const validate = new Ajv({ strict: false, allErrors: true }).compile(
      schemaOf(values, { title: 'test', deprecated: ['old'] }),
    );
    const errors = (value: unknown): string[] =>
      validate(value) ? [] : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`);
    expect(errors({ replicas: 2, global: { other: 1 }, first: { limit: null }, old: 1 })).toEqual([]);
    expect(errors({ replicas: 0 })).toEqual(['/replicas must be >= 1']);
    expect(errors({ replicas: '2' })).toEqual(['/replicas must be integer']);
    expect(errors({ first: { other: 1 } })).toEqual(['/first must NOT have additional properties']);
    expect(errors({ first: { names: [1] } })).toEqual(['/first/names/0 must be string']);
  });

  it('says which key has no type', () => {
    expect(() => schemaOf(readValues('# -- Nothing.\nkey: null\n'), { title: 'test' })).toThrow(
      'values.yaml: key is null, so its comment must have @schema with a type',
    );
  });

  it('gives a table with the meaning of every value, that of a replaced one by its origin', () => {
    const table = valuesTable(
      readValues('# -- For all.\ndefaults:\n  # -- How many.\n  size: 1\nservices:\n  one:\n    size: 2\n'),
    );
    expect(table).toContain('| `defaults.size` | `1` | How many. |');
    expect(table).toContain('| `services.one.size` | `2` | As `defaults.size`. |');
    expect(() => valuesTable(readValues('part:\n  size: 1\n'))).toThrow('values.yaml: part.size has no comment');
  });

  it('refuses a page without the mark of what belongs into it', () => {
    expect(fillPage('a <!-- b --> c', { b: '$&' })).toBe('a $& c');
    expect(() => fillPage('a', { b: 'c' })).toThrow('the template has no <!-- b -->');
  });
});
