import type { Logger } from '@centralita/platform-nest';
import { describeError } from '@centralita/platform-nest';
import { Client } from '@centralita/event-store/connection';
import { arrivalName, arrivalsIn, DONE_CHANNEL, INPUT_CHANNEL } from './input-table.js';

const RECONNECT_MS = 1000;
/** Inputs that were heard to be taken are remembered this far back, for those who ask a moment later. */
const REMEMBERED = 10_000;

/**
 * Wake-ups between those who insert inputs, the writer, and those who wait for results, by LISTEN/NOTIFY. They only save time: every
 * waiter also looks by itself, so a lost connection costs latency and nothing else.
 */
export class Signals {
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<(tenantId: string) => void>();
  readonly #taken = new Set<string>();
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    let client: Client;
    try {
      client = new Client({ connectionString: this.url, application_name: 'centralita-routing-signals' });
    } catch (error) {
      this.#later(error);
      return;
    }
    client.on('notification', ({ channel, payload }) => this.#notified(channel, payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, undefined));
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${INPUT_CHANNEL}; listen ${DONE_CHANNEL}`);
    } catch (error) {
      this.#lost(client, error);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
    for (const key of [...this.#waiters.keys()]) this.#wake(key);
  }

  /**
   * Resolves at the next input of a tenant, after `ms`, or when aborted. Ask before looking at the database, not after: what comes in
   * between would be missed.
   */
  input(tenantId: string, ms: number, signal?: AbortSignal): Promise<void> {
    return this.#next(`${INPUT_CHANNEL}:${tenantId}`, ms, signal);
  }

  /** Resolves when the writer has taken this input, at once when that was heard already; in any case after `ms`. */
  async taken(arrival: bigint, ms: number): Promise<void> {
    const name = arrivalName(arrival);
    if (!this.#taken.has(name)) await this.#next(`${DONE_CHANNEL}:${name}`, ms);
  }

  #next(key: string, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        const waiting = this.#waiters.get(key);
        waiting?.delete(done);
        if (waiting?.size === 0) this.#waiters.delete(key);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
      const waiting = this.#waiters.get(key) ?? new Set();
      this.#waiters.set(key, waiting.add(done));
      signal?.addEventListener('abort', done);
      if (signal?.aborted || this.#stopped) done();
    });
  }

  /** Calls back at every input, with its tenant. Returns how to stop. */
  onInput(listener: (tenantId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #notified(channel: string, payload: string): void {
    if (channel === INPUT_CHANNEL) {
      this.#wake(`${INPUT_CHANNEL}:${payload}`);
      for (const listener of [...this.#listeners]) listener(payload);
      return;
    }
    for (const name of arrivalsIn(payload)) {
      this.#taken.add(name);
      this.#wake(`${DONE_CHANNEL}:${name}`);
    }
    for (const oldest of this.#taken) {
      if (this.#taken.size <= REMEMBERED) break;
      this.#taken.delete(oldest);
    }
  }

  #wake(key: string): void {
    for (const done of [...(this.#waiters.get(key) ?? [])]) done();
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client || this.#stopped) return;
    this.#client = undefined;
    void client.end().catch(() => undefined);
    this.#later(error);
  }

  #later(error: unknown): void {
    if (error !== undefined)
      this.logger.warn({ err: describeError(error) }, 'signals are lost; looking by time until they are back');
    this.#retry = setTimeout(() => void this.start(), RECONNECT_MS);
  }
}
