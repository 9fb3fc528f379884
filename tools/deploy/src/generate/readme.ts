import type { Manifest } from '../manifests/manifest.js';
import { podsOf } from '../manifests/pods.js';
import type { Value } from './values.js';

const cell = (text: string): string => text.replace(/\|/g, '\\|');

const shown = (value: unknown): string => {
  if (typeof value === 'string') return value === '' ? '`""`' : `\`${value}\``;
  const text = JSON.stringify(value);
  return text.length > 110 ? 'see values.yaml' : `\`${text}\``;
};

const isSection = (value: Value, all: readonly Value[]): boolean =>
  all.some(({ path }) => path.length > value.path.length && value.path.every((key, index) => path[index] === key));

/** What a key means: its comment, or that of the key that it replaces for one workload or database. */
const meaningOf = (value: Value, all: readonly Value[]): string => {
  if (value.description !== undefined) return value.description;
  const [top, name, ...rest] = value.path;
  const tail = rest[0] === 'roles' ? rest.slice(2) : rest;
  const origin = [
    ...(top === 'services' && name ? [['defaults', ...tail]] : []),
    ...(top === 'postgres' && name ? [['postgres', 'defaults', ...rest]] : []),
    ...(top === 'exposure' ? [['exposure', 'webhook', ...rest]] : []),
    ...(top === 'archive' ? [['media', ...value.path.slice(1)]] : []),
  ].find((path) => all.some((other) => other.path.join('.') === path.join('.')));
  return origin ? `As \`${origin.join('.')}\`.` : (value.remark ?? '');
};

/** Rows of the table: every leaf, and every section that is described as a whole. Throws for a value that nobody has explained. */
const rowsOf = (own: readonly Value[], all: readonly Value[]): string[] =>
  own.flatMap((value) => {
    const meaning = meaningOf(value, all);
    if (isSection(value, all) && value.description === undefined) return [];
    if (meaning === '') {
      const above = all.find(({ path }) => path.join('.') === value.path.slice(0, -1).join('.'));
      // A part of a Kubernetes object that its section explains.
      if (above?.description !== undefined) return [];
      throw new Error(`values.yaml: ${value.path.join('.')} has no comment`);
    }
    return [`| \`${value.path.join('.')}\` | ${cell(shown(value.value))} | ${cell(meaning)} |`];
  });

const table = (title: string, remark: string | undefined, rows: readonly string[]): string[] => [
  `### ${title}`,
  '',
  ...(remark ? [remark, ''] : []),
  '| key | default | meaning |',
  '|---|---|---|',
  ...rows,
  '',
];

/** The table of all values, a part for each key of the root that holds others. */
export const valuesTable = (values: readonly Value[]): string => {
  const sections = values.filter((value) => value.path.length === 1 && isSection(value, values));
  const scalars = values.filter((value) => value.path.length === 1 && !isSection(value, values));
  const inside = (top: string | undefined): Value[] => values.filter(({ path }) => path[0] === top);
  return [
    ...table('Of the chart as a whole', undefined, rowsOf(scalars, values)),
    ...sections.flatMap((section) => table(section.path.join(), section.remark, rowsOf(inside(section.path[0]), values))),
  ]
    .join('\n')
    .trimEnd();
};

/** Secrets that the rendered pods mount: name, keys, who reads it. */
export const secretsTable = (manifests: readonly Manifest[]): string => {
  const secrets = new Map<string, { keys: Set<string>; readers: Set<string> }>();
  for (const { spec, labels } of podsOf(manifests))
    for (const { secret } of spec.volumes ?? []) {
      if (!secret?.secretName) continue;
      const known = secrets.get(secret.secretName) ?? { keys: new Set<string>(), readers: new Set<string>() };
      for (const { key } of secret.items ?? []) known.keys.add(key);
      known.readers.add(labels['app.kubernetes.io/component'] ?? '');
      secrets.set(secret.secretName, known);
    }
  const rows = [...secrets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, { keys, readers }]) =>
        `| \`${name}\` | ${[...keys].map((key) => `\`${key}\``).join(', ')} | ${[...readers].sort().join(', ')} |`,
    );
  return ['| secret | keys | mounted by |', '|---|---|---|', ...rows].join('\n');
};

/** Puts tables in place of `<!-- name -->` of a hand-written page. Throws for a mark that is not there. */
export const fillPage = (template: string, parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts).reduce((page, [name, text]) => {
    const mark = `<!-- ${name} -->`;
    if (!page.includes(mark)) throw new Error(`the template has no ${mark}`);
    return page.replaceAll(mark, () => text);
  }, template);
