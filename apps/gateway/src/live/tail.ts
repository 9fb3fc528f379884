import type { FeedPage } from '@centralita/contracts';

/** Reads the feed of one service for one tenant: at once, or waiting some seconds for something new. */
export type ReadFeed = (cursor: string | null, waitSeconds: number, signal: AbortSignal) => Promise<FeedPage>;
export type Listener = (page: FeedPage) => void;

const WAIT_SECONDS = 20;
const RETRY_MS = 500;

/**
 * The end of one service's feed for one tenant, read once however many browsers look. It runs while somebody listens, and goes on from
 * where it was when a read fails.
 */
export class FeedTail {
  readonly #listeners = new Set<Listener>();
  #stop: AbortController | undefined;
  #cursor: string | null = null;
  #anchored = Promise.withResolvers<void>();

  constructor(private readonly read: ReadFeed) {}

  get listeners(): number {
    return this.#listeners.size;
  }

  /**
   * Hears every page from `anchored` on: before that the tail does not know yet where the feed ends. Whoever resumes reads its own
   * pages after that moment, or what happens in between would be nobody's.
   */
  listen(listener: Listener): { readonly anchored: Promise<void>; readonly stop: () => void } {
    this.#listeners.add(listener);
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    const stop = (): void => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
      this.#cursor = null;
      this.#anchored = Promise.withResolvers<void>();
    };
    return { anchored: this.#anchored.promise, stop };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const page = await this.read(this.#cursor, this.#cursor === null ? 0 : WAIT_SECONDS, signal);
        // Whoever stopped listening meanwhile, and whoever began again, must not hear this page as theirs.
        if (signal.aborted) return;
        this.#cursor = page.cursor;
        for (const listener of this.#listeners) listener(page);
        this.#anchored.resolve();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
