import { parse } from 'yaml';

/** A key of values.yaml with what its comment says. */
export type Value = {
  readonly path: readonly string[];
  readonly value: unknown;
  /** After `# --`. */
  readonly description: string | undefined;
  /** Other comment lines above the key: of a section. */
  readonly remark: string | undefined;
  /** After `# @schema`: what the value alone does not say. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  /** After `# @definition`: its schema is named, so that others can refer to it. */
  readonly definition: string | undefined;
};

const KEY = /^(\s*)(?:'([^']+)'|"([^"]+)"|([^\s'"#:-][^:]*)):(?:\s|$)/;

const commentOf = (lines: readonly string[], where: string): Omit<Value, 'path' | 'value'> => {
  const texts = lines.map((line) => line.trim().replace(/^# ?/, ''));
  const described = texts.findIndex((text) => text.startsWith('-- '));
  const tagged = (tag: string): string | undefined => texts.find((text) => text.startsWith(`@${tag} `))?.slice(tag.length + 2);
  const plain = (from: readonly string[]): string =>
    from
      .filter((text) => !text.startsWith('@'))
      .join(' ')
      .replace(/^-- /, '')
      .trim();
  const schema = tagged('schema');
  let parsed: Record<string, unknown> | undefined;
  try {
    parsed = schema === undefined ? undefined : (JSON.parse(schema) as Record<string, unknown>);
  } catch (cause) {
    throw new SyntaxError(`values.yaml: @schema of ${where} is no JSON`, { cause });
  }
  return {
    description: described === -1 ? undefined : plain(texts.slice(described)),
    remark: described === -1 && texts.length > 0 ? plain(texts) || undefined : undefined,
    schema: parsed,
    definition: tagged('definition'),
  };
};

const valueAt = (values: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], values);

/**
 * Every key of a values.yaml in its order, with its comment. Comments stand right above their key; a blank line ends a comment that belongs to
 * nothing. What stands inside of lists and of maps in one line has no comment and is not listed.
 */
export const readValues = (text: string): readonly Value[] => {
  const values = parse(text) as unknown;
  const found: Value[] = [];
  const above: { readonly indent: number; readonly key: string }[] = [];
  let comment: string[] = [];
  let listIndent = Infinity;
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length;
    if (line.trim() === '') {
      comment = [];
      continue;
    }
    if (line.trim().startsWith('#')) {
      comment.push(line);
      continue;
    }
    const key = KEY.exec(line);
    if (indent > listIndent || line.trim().startsWith('- ') || !key) continue;
    listIndent = Infinity;
    while (above.length > 0 && (above.at(-1)?.indent ?? 0) >= indent) above.pop();
    const name = key[2] ?? key[3] ?? key[4] ?? '';
    above.push({ indent, key: name });
    const path = above.map((entry) => entry.key);
    const value = valueAt(values, path);
    found.push({ path, value, ...commentOf(comment, path.join('.')) });
    comment = [];
    if (Array.isArray(value)) listIndent = indent;
  }
  return found;
};
