import { isPlatformError, type FeedPage } from '@centralita/contracts';

/**
 * Reads the feed of one service for one tenant: at once, or waiting some seconds for something new. Throws CURSOR_GONE when the feed does
 * not know the cursor any more: everybody must look again, and follow from now.
 */
export type ReadFeed = (cursor: string | null, waitSeconds: number, signal: AbortSignal) => Promise<FeedPage>;
/** `gap`: something before this page may never be told. */
export type Listener = (page: FeedPage, gap: boolean) => void;

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
  #gap = false;
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
      this.#gap = false;
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
        const gap = this.#gap;
        this.#gap = false;
        for (const listener of this.#listeners) listener(page, gap);
        this.#anchored.resolve();
      } catch (error) {
        if (isPlatformError(error, 'CURSOR_GONE') && this.#cursor !== null && !signal.aborted) {
          this.#cursor = null;
          this.#gap = true;
          continue;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
