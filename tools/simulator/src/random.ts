import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Seeded randomness: the same seed and label give the same sequence on every machine. */
export class Random {
  readonly #generator;

  constructor(
    private readonly seed: number,
    label = '',
  ) {
    this.#generator = xoroshiro128plus(createHash('sha256').update(`${seed}:${label}`).digest().readInt32BE(0));
  }

  /** An independent sequence, so that one more draw here does not shift every draw elsewhere. */
  fork(label: string): Random {
    return new Random(this.seed, label);
  }

  integer(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const keyed = items.map((item) => ({ item, key: this.integer(0, 0x7fffffff) }));
    return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.integer(0, 255)));
  }

  digits(length: number): string {
    return Array.from({ length }, (_, index) => this.integer(index === 0 ? 1 : 0, 9)).join('');
  }
}
