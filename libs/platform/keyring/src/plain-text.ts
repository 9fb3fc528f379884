/** Thrown and caught in here alone. */
const UNUSUAL = new Error('not plain');

/** A name that begins so may be an index, which objects list in the order of numbers and before all other names. */
const isIndexLike = (name: string): boolean => {
  const first = name.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
};

/** The same value with all names in the order of their UTF-16 code units. */
const ordered = (value: unknown): unknown => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw UNUSUAL;
  if (Array.isArray(value)) return value.map(ordered);
  if (Object.getPrototypeOf(value) !== Object.prototype) throw UNUSUAL;
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) {
    if (name === '__proto__' || isIndexLike(name)) throw UNUSUAL;
    sorted[name] = ordered((value as Record<string, unknown>)[name]);
  }
  return sorted;
};

/** How JSON.stringify writes half a surrogate pair; a text may also hold these characters as they are. */
const MAYBE_LONE_SURROGATE = '\\ud';

/**
 * RFC 8785 text of a value in which nothing is unusual, or undefined: then a library that knows all cases must write it. Plain JSON of
 * sorted names is canonical already, and a third of the time of writing one value after the other.
 */
export const plainText = (value: unknown): string | undefined => {
  try {
    const text = JSON.stringify(ordered(value));
    return text.includes(MAYBE_LONE_SURROGATE) ? undefined : text;
  } catch {
    // Unusual, or nested deeper than the stack.
    return undefined;
  }
};
