/**
 * Turns per name: `burst` of them at once, then one every `intervalMs`, in the order in which they are asked for. What a burst took ahead is
 * paid back before the next one: the provider counts its limit per customer in this way.
 */
export class Pace {
  /** When everything that was taken is paid back, by name. */
  readonly #paid = new Map<string, number>();

  constructor(
    private readonly intervalMs: number,
    private readonly burst = 1,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Milliseconds until there is a turn; takes none. */
  wait(name: string): number {
    const now = this.now();
    return Math.max(0, (this.#paid.get(name) ?? now) - (this.burst - 1) * this.intervalMs - now);
  }

  /** Milliseconds to wait for the turn that is taken by asking. */
  take(name: string): number {
    const now = this.now();
    const wait = this.wait(name);
    this.#paid.set(name, Math.max(now, this.#paid.get(name) ?? now) + this.intervalMs);
    if (this.#paid.size > 10_000) for (const [old, paid] of this.#paid) if (paid <= now) this.#paid.delete(old);
    return wait;
  }
}
