import { LRUCache } from 'lru-cache';

/** Token bucket per key: `perMinute` at once, refilled evenly. Bounded: the keys that were not seen for longest are forgotten. */
export class RateLimit {
  readonly #buckets = new LRUCache<string, { tokens: number; at: number }>({ max: 10_000 });

  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes one token; false when there is none. */
  take(key: string): boolean {
    const now = this.now();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.perMinute, at: now };
    const filled = Math.min(this.perMinute, tokens + ((now - at) / 60_000) * this.perMinute);
    this.#buckets.set(key, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
    return filled >= 1;
  }
}
