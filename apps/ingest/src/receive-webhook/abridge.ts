/** What an abridged value may have as JSON, in bytes; the last text may go a little beyond. */
const MAX_BYTES = 32 * 1024;
const LONGEST_TEXT = 4096;
const LONGEST_NAME = 256;
const CONTAINER_BYTES = 64;
const SCALAR_BYTES = 24;

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text));

const cut = (value: unknown, budget: { left: number }): unknown => {
  if (typeof value === 'string') {
    const text = (value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value).toWellFormed();
    budget.left -= bytesOf(text);
    return text;
  }
  budget.left -= isContainer(value) ? CONTAINER_BYTES : SCALAR_BYTES;
  if (!isContainer(value)) return value;
  if (Array.isArray(value)) {
    const kept: unknown[] = [];
    for (const element of value) {
      if (budget.left <= 0) break;
      kept.push(cut(element, budget));
    }
    return kept;
  }
  const entries = Object.entries(value).filter(([name]) => name.length <= LONGEST_NAME);
  const kept: [string, unknown][] = [];
  // Identifiers, types and times stand beside what is long: they first.
  for (const [name, member] of [...entries].sort(([, a], [, b]) => Number(isContainer(a)) - Number(isContainer(b)))) {
    if (budget.left <= 0) break;
    budget.left -= bytesOf(name);
    kept.push([name.toWellFormed(), cut(member, budget)]);
  }
  return Object.fromEntries(kept);
};

/** The beginning of a value that is too big for a record: the same bytes each time, with everything short that stands in front. */
export const abridge = (value: unknown): unknown => cut(value, { left: MAX_BYTES });
