import { asError } from './http.js';

/** Runs work for keys, each key's in turn and at most `limit` at once. The first failure is kept and thrown by {@link Pool.done}. */
export class Pool {
  readonly #waiting: { readonly key: string; readonly work: () => Promise<void> }[] = [];
  readonly #busy = new Set<string>();
  #running = 0;
  #done = 0;
  #failure: Error | null = null;

  constructor(private readonly limit: number) {}

  /** Pieces of work that have ended well. */
  get done(): number {
    if (this.#failure !== null) throw this.#failure;
    return this.#done;
  }

  add(key: string, work: () => Promise<void>): void {
    this.#waiting.push({ key, work });
    this.#next();
  }

  #next(): void {
    while (this.#running < this.limit) {
      const index = this.#waiting.findIndex(({ key }) => !this.#busy.has(key));
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (next === undefined) return;
      this.#running += 1;
      this.#busy.add(next.key);
      void next
        .work()
        .then(
          () => void (this.#done += 1),
          (error: unknown) => void (this.#failure ??= asError(error)),
        )
        .finally(() => {
          this.#running -= 1;
          this.#busy.delete(next.key);
          this.#next();
        });
    }
  }
}
