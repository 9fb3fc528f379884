/** Result of one check: figures to print, and every contradiction that was found. No contradiction is a pass. */
export type Finding = { readonly figures: Readonly<Record<string, number | string>>; readonly problems: readonly string[] };

/** Collects contradictions with a sentence each. */
export class Contradictions {
  readonly #list: string[] = [];

  expect(condition: boolean, sentence: string): void {
    if (!condition) this.#list.push(sentence);
  }

  /** Two sets must have the same members; names a few of those that only one has. */
  expectSameSet(what: string, left: Iterable<string>, leftName: string, right: Iterable<string>, rightName: string): void {
    const [one, other] = [new Set(left), new Set(right)];
    const onlyLeft = [...one].filter((item) => !other.has(item));
    const onlyRight = [...other].filter((item) => !one.has(item));
    if (onlyLeft.length > 0)
      this.#list.push(`${what}: ${onlyLeft.length} only at ${leftName}, for example ${onlyLeft.slice(0, 3).join(', ')}`);
    if (onlyRight.length > 0)
      this.#list.push(`${what}: ${onlyRight.length} only at ${rightName}, for example ${onlyRight.slice(0, 3).join(', ')}`);
  }

  get list(): readonly string[] {
    return this.#list;
  }
}

/** Groups by a key, in order. */
export const groupBy = <Item>(items: Iterable<Item>, key: (item: Item) => string): Map<string, Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
};
