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

  constructor(private readonly read: ReadFeed) {}

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Hears every page from now on; returns how to stop. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
      this.#cursor = null;
    };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const page = await this.read(this.#cursor, this.#cursor === null ? 0 : WAIT_SECONDS, signal);
        // Whoever stopped listening meanwhile, and whoever began again, must not hear this page as theirs.
        if (signal.aborted) return;
        this.#cursor = page.cursor;
        for (const listener of this.#listeners) listener(page);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
