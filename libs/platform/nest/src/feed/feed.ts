import type { FeedPage, Topic } from '@centralita/contracts';
import { feed, feedHead, type Database, type FeedPage as StoredPage, type Tx } from '@centralita/event-store';

const POLL_MS = 150;

/** Where pointers come from. A page holds at most `limit` of them and says where the next one begins. */
export type FeedReader = {
  /** The cursor of now. */
  head(tx: Tx): Promise<string>;
  /** What came after the cursor. Throws VALIDATION_FAILED for a foreign one. */
  page(tx: Tx, cursor: string, limit: number): Promise<StoredPage>;
};

/** Pointers to the published events of one topic. */
export const topicFeed = (topic: Topic): FeedReader => ({
  head: (tx) => feedHead(tx, topic),
  page: (tx, cursor, limit) => feed(tx, topic, cursor, limit),
});

/** Of one tenant: a counter that goes up whenever something new was seen. */
class Watch {
  version = 0;
  watchers = 0;
  readonly #wake = new Set<() => void>();

  changed(): void {
    this.version += 1;
    for (const wake of [...this.#wake]) wake();
  }

  /** Resolves at the next change, after `ms`, or when aborted. */
  next(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

/**
 * A service's pointers, by long poll. However many callers wait, the database is asked once per tenant and tick: a
 * caller is woken when anything of its tenant is new, and reads on from its own cursor.
 */
export class FeedSource {
  readonly #watches = new Map<string, Watch>();

  constructor(
    private readonly db: Database,
    private readonly reader: FeedReader,
  ) {}

  /**
   * Items after the cursor, at once when there are some, else as soon as there are, at the latest after `waitMs`. Without a cursor: no
   * items and the cursor of now, for a client that has just read its views.
   */
  async page(tenantId: string, cursor: string | null, limit: number, waitMs: number, signal: AbortSignal): Promise<FeedPage> {
    if (cursor === null) return { items: [], cursor: await this.db.withTenant(tenantId, (tx) => this.reader.head(tx)) };
    const until = performance.now() + waitMs;
    for (let at = cursor; ;) {
      const seen = this.#watches.get(tenantId)?.version ?? 0;
      const page = await this.#read(tenantId, at, limit);
      const left = until - performance.now();
      if (page.items.length > 0 || left <= 0 || signal.aborted) return page;
      at = page.cursor;
      await this.#wait(tenantId, seen, at, left, signal);
    }
  }

  async #read(tenantId: string, cursor: string, limit: number): Promise<FeedPage> {
    const page = await this.db.withTenant(tenantId, (tx) => this.reader.page(tx, cursor, limit));
    return { items: [...page.items], cursor: page.cursor };
  }

  async #wait(tenantId: string, seen: number, cursor: string, ms: number, signal: AbortSignal): Promise<void> {
    const watch = this.#watches.get(tenantId) ?? new Watch();
    this.#watches.set(tenantId, watch);
    // Something came between the read and now: read again.
    if (watch.version !== seen) return;
    watch.watchers += 1;
    try {
      const next = watch.next(ms, signal);
      if (watch.watchers === 1) void this.#poll(tenantId, watch, cursor);
      await next;
    } finally {
      watch.watchers -= 1;
    }
  }

  async #poll(tenantId: string, watch: Watch, from: string): Promise<void> {
    const never = new AbortController().signal;
    for (let cursor = from; watch.watchers > 0;) {
      await watch.next(POLL_MS, never);
      try {
        const page = await this.#read(tenantId, cursor, 1);
        cursor = page.cursor;
        if (page.items.length > 0) watch.changed();
      } catch {
        // The waiting callers time out and meet the failure themselves, with an answer.
      }
    }
  }
}
