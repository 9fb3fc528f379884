import { setImmediate as nextTurn } from 'node:timers/promises';
import { isPlatformError } from '@centralita/contracts';

type Entry<Item, Result> = {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

/**
 * The same step of many, made together: what is asked for while a run of its key is under way goes with the next one. Nobody waits for
 * company, and a busy database gets few large statements instead of many small ones. `run` gives one result for each item, in their order.
 * What one of them brings with it the others do not pay for: a run that fails for good is made again, one by one.
 */
export class Gathered<Item, Result> {
  /** By key, while a run of it is under way. */
  readonly #waiting = new Map<string, Entry<Item, Result>[]>();

  constructor(private readonly run: (key: string, items: readonly Item[]) => Promise<readonly Result[]>) {}

  add(key: string, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const entry = { item, resolve, reject };
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) waiting.push(entry);
      else {
        this.#waiting.set(key, [entry]);
        void this.#runAll(key);
      }
    });
  }

  async #runAll(key: string): Promise<void> {
    for (;;) {
      // Whoever was woken by the same answer comes along.
      await nextTurn();
      const entries = this.#waiting.get(key)?.splice(0) ?? [];
      if (entries.length === 0) break;
      await this.#settle(key, entries);
    }
    this.#waiting.delete(key);
  }

  async #settle(key: string, entries: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.run(
        key,
        entries.map(({ item }) => item),
      );
      for (const [index, entry] of entries.entries()) entry.resolve(results[index] as Result);
    } catch (error) {
      const passes = isPlatformError(error) && error.retryable;
      if (entries.length > 1 && !passes) for (const entry of entries) await this.#settle(key, [entry]);
      else for (const entry of entries) entry.reject(error);
    }
  }
}
