import type { Value } from './values.js';

type Schema = Record<string, unknown>;

const builtIn: Readonly<Record<string, Schema>> = {
  strings: { type: 'object', additionalProperties: { type: 'string' } },
  resources: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      ['requests', 'limits'].map((part) => [part, { type: 'object', additionalProperties: { type: ['string', 'number'] } }]),
    ),
  },
};

const typeOf = (value: unknown, where: string): Schema => {
  if (typeof value === 'string') return { type: 'string' };
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'number' };
  if (Array.isArray(value)) return { type: 'array' };
  // An empty map, or one on a single line, says nothing of what else may be in it.
  if (typeof value === 'object' && value !== null) return { type: 'object' };
  throw new TypeError(`values.yaml: ${where} is null, so its comment must have @schema with a type`);
};

const describedBy = ({ description, remark }: Value): Schema => {
  const text = description ?? remark;
  return text === undefined ? {} : { description: text };
};

type Node = { readonly value: Value; readonly children: Map<string, Node> };

const treeOf = (values: readonly Value[]): Map<string, Node> => {
  const root = new Map<string, Node>();
  for (const value of values) {
    let level = root;
    for (const key of value.path.slice(0, -1)) {
      const parent = level.get(key);
      if (!parent) throw new Error(`values.yaml: ${value.path.join('.')} stands before its parent`);
      level = parent.children;
    }
    level.set(value.path.at(-1) ?? '', { value, children: new Map() });
  }
  return root;
};

/**
 * The JSON schema of a values.yaml: types follow from the defaults, the rest from `@schema`. Unknown keys are refused everywhere but in
 * `global`, which umbrella charts share. `deprecated` keys pass, since a template tells what became of them.
 */
export const schemaOf = (values: readonly Value[], options: { title: string; deprecated?: readonly string[] }): Schema => {
  const definitions: Record<string, Schema> = {};

  const inside = (node: Node): Schema => {
    const { value, children } = node;
    const where = value.path.join('.');
    if (children.size === 0 || value.schema?.['additionalProperties'] === true) {
      const inferred = value.schema?.['enum'] || value.schema?.['type'] ? {} : typeOf(value.value, where);
      const base = value.schema?.['additionalProperties'] !== undefined && children.size === 0 ? { type: 'object' } : inferred;
      return { ...base, ...value.schema };
    }
    const properties = Object.fromEntries([...children].map(([key, child]) => [key, schemaFor(child)]));
    return { type: 'object', additionalProperties: where === 'global', properties, ...value.schema };
  };

  const schemaFor = (node: Node): Schema => {
    const { value } = node;
    // Draft 7 looks at nothing beside a $ref.
    if (value.schema?.['$ref'] !== undefined) return { $ref: value.schema['$ref'] };
    const schema = { ...describedBy(value), ...inside(node) };
    if (value.definition === undefined) return schema;
    definitions[value.definition] = schema;
    return { $ref: `#/definitions/${value.definition}` };
  };

  const tree = treeOf(values);
  const properties = Object.fromEntries([...tree].map(([key, node]) => [key, schemaFor(node)]));
  const workload = definitions['workload'];
  const roles = tree.get('services')?.children.get('ingest')?.children.get('roles');
  if (workload && roles) {
    const each = [...roles.children.keys()].map((role) => [role, { $ref: '#/definitions/workload' }]);
    definitions['workloadWithRoles'] = {
      ...workload,
      properties: {
        ...(workload['properties'] as Schema),
        roles: { type: 'object', additionalProperties: false, properties: Object.fromEntries(each) as Schema },
      },
    };
  }
  const gone = Object.fromEntries(
    (options.deprecated ?? []).map((key) => [key, { description: 'Has another name: see UPGRADING.md.' }]),
  );
  const text = JSON.stringify(properties) + JSON.stringify(definitions);
  for (const [name, schema] of Object.entries(builtIn)) if (text.includes(`#/definitions/${name}"`)) definitions[name] = schema;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: options.title,
    type: 'object',
    additionalProperties: false,
    properties: { ...properties, ...gone },
    definitions,
  };
};
