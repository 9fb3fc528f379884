/** Hands out turns per name, at least `intervalMs` apart, in the order in which they are asked for. */
export class Pace {
  readonly #next = new Map<string, number>();

  constructor(
    private readonly intervalMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Milliseconds to wait for the turn that is taken by asking. */
  take(name: string): number {
    const now = this.now();
    const turn = Math.max(now, this.#next.get(name) ?? now);
    this.#next.set(name, turn + this.intervalMs);
    if (this.#next.size > 10_000) for (const [old, at] of this.#next) if (at <= now) this.#next.delete(old);
    return turn - now;
  }
}
