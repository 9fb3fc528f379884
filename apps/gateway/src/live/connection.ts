import { isPlatformError, type FeedPage } from '@centralita/contracts';
import { liveServices, type LiveService } from '../proxy/services.js';
import { encodeCursor, type LiveCursor } from './cursor.js';
import type { FeedTail, ReadFeed } from './tail.js';

/** Where events go: the browser's open answer. */
export type Sink = {
  send(event: string, id: string, data: unknown): void;
  readonly closed: AbortSignal;
};

/**
 * One browser's stream. For each service: 1. listen to the tail, keeping what it says; 2. once the tail has hold of the end, read from the browser's own cursor until
 * nothing is left; 3. pass on what was kept and all that follows. Nothing can fall between, some may come twice: a pointer says "look
 * again", and twice does no harm. When the feed does not know the cursor any more, `gap` says so, and it goes on from now. The id after the last pointer of a page is the new cursor; before it the old one still holds.
 */
export class LiveConnection {
  readonly #sent = new Set<string>();

  constructor(
    private readonly cursor: LiveCursor,
    private readonly sink: Sink,
  ) {}

  get id(): string {
    return encodeCursor(this.cursor);
  }

  /** Resolves when every service is followed live; pointers go on coming until the browser goes away. */
  async run(tails: Readonly<Record<LiveService, FeedTail>>, readers: Readonly<Record<LiveService, ReadFeed>>): Promise<void> {
    await Promise.all(liveServices.map((service) => this.#follow(service, tails[service], readers[service])));
  }

  async #follow(service: LiveService, tail: FeedTail, read: ReadFeed): Promise<void> {
    const kept: FeedPage[] = [];
    let live = this.cursor[service] === null;
    let lost = false;
    const { anchored, stop } = tail.listen((page, gap) => {
      if (live) this.#pass(service, page);
      else kept.push(page);
      if (gap && live) this.#tellGap(service);
      else lost ||= gap;
    });
    const closed = new Promise<void>((resolve) => {
      const end = (): void => {
        stop();
        resolve();
      };
      this.sink.closed.addEventListener('abort', end);
      if (this.sink.closed.aborted) end();
    });
    await Promise.race([anchored, closed]);
    while (!live && !this.sink.closed.aborted) {
      try {
        const page = await read(this.cursor[service], 0, this.sink.closed);
        this.#pass(service, page, true);
        live = page.items.length === 0;
      } catch (error) {
        if (isPlatformError(error, 'CURSOR_GONE') && this.cursor[service] !== null) {
          this.cursor[service] = null;
          lost = true;
          continue;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    for (const page of kept) this.#pass(service, page);
    if (lost) this.#tellGap(service);
    this.#sent.clear();
  }

  #tellGap(service: LiveService): void {
    this.sink.send('gap', this.id, { service });
  }

  #pass(service: LiveService, page: FeedPage, remember = false): void {
    const last = page.items.length - 1;
    page.items.forEach((item, index) => {
      if (index === last) this.cursor[service] = page.cursor;
      // One event may be news in several conversations.
      const told = `${item.id} ${item.streamId}`;
      if (remember) this.#sent.add(told);
      else if (this.#sent.has(told)) return;
      this.sink.send('pointer', this.id, { ...item, service });
    });
    this.cursor[service] = page.cursor;
  }
}
