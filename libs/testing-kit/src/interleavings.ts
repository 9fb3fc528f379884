/** A source of choices, for example fast-check's `fc.nat` or a seeded generator: an integer from 0 to `below` - 1. */
export type Choose = (below: number) => number;

/**
 * One interleaving of several ordered sequences (partitions of a log): the order inside each is kept. With `duplicates` above 0 that many
 * items come again later, as redeliveries do. A fold must give the same result for every one of them.
 */
export const interleave = <Item>(sequences: readonly (readonly Item[])[], choose: Choose, duplicates = 0): Item[] => {
  const heads = sequences.map((items) => ({ items, next: 0 }));
  const result: Item[] = [];
  for (;;) {
    const open = heads.filter(({ items, next }) => next < items.length);
    const head = open[open.length === 0 ? 0 : choose(open.length)];
    if (!head) break;
    result.push(head.items[head.next] as Item);
    head.next += 1;
  }
  for (let count = 0; count < duplicates && result.length > 0; count += 1) {
    const from = choose(result.length);
    result.splice(from + 1 + choose(result.length - from), 0, result[from] as Item);
  }
  return result;
};
