import { isPlatformError, PlatformError } from '@centralita/contracts';
import { sizeOf } from './failures.js';
import type { EventLog, LogRecord } from './port.js';
import { tracedSend } from './tracing.js';

export type BatcherOptions = {
  readonly log: Pick<EventLog, 'append'>;
  /** Bytes that may wait or be under way; beyond, `add` rejects with LOG_OVERLOADED. @default 16 MiB */
  readonly maxBytes?: number;
  /** A batch is sent as soon as it has this many bytes. @default 256 KiB */
  readonly flushBytes?: number;
  /** What has gathered behind a send goes together up to this many bytes. @default 768 KiB, within one request of the log */
  readonly batchBytes?: number;
  /** Longest wait for company when nothing is under way, in milliseconds. @default 3 */
  readonly lingerMs?: number;
  /** Timer, for tests; returns its cancellation. */
  readonly later?: (run: () => void, milliseconds: number) => () => void;
};

type Entry = {
  readonly records: readonly LogRecord[];
  readonly bytes: number;
  readonly wanted: () => boolean;
  resolve(): void;
  reject(error: unknown): void;
};

const setTimer = (run: () => void, milliseconds: number): (() => void) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

/**
 * Gathers small appends of many requests into few large ones. One append is under way at a time, so a batch grows while its
 * predecessor is on the wire: waiting costs only an idle log, and order of `add` is order on the log.
 */
export class Batcher {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #maxBytes: number;
  readonly #flushBytes: number;
  readonly #batchBytes: number;
  readonly #lingerMs: number;
  readonly #later: NonNullable<BatcherOptions['later']>;
  readonly #queue: Entry[] = [];
  #queuedBytes = 0;
  #bytes = 0;
  #cancelLinger: (() => void) | null = null;
  #sending: Promise<void> | null = null;
  #closed = false;

  constructor(options: BatcherOptions) {
    this.#log = options.log;
    this.#maxBytes = options.maxBytes ?? 16 * 1024 * 1024;
    this.#flushBytes = options.flushBytes ?? 256 * 1024;
    this.#batchBytes = Math.max(options.batchBytes ?? 768 * 1024, this.#flushBytes);
    this.#lingerMs = options.lingerMs ?? 3;
    this.#later = options.later ?? setTimer;
  }

  /** Bytes that wait or are under way. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves when all of the records are replicated. Rejects with LOG_OVERLOADED before anything is queued when the bound is
   * reached, with DRAINING after `close`, and with the log's own error when its append failed. `wanted` is asked right before the
   * send: what nobody waits for any more, or what may no longer be written, is not sent (TIMEOUT).
   */
  add(
    records: readonly LogRecord[],
    bytes: number = records.reduce((sum, record) => sum + sizeOf(record), 0),
    wanted: () => boolean = () => true,
  ): Promise<void> {
    // The span is that of the request, not of whichever request happens to trigger the flush.
    return tracedSend(records, (stamped) => this.#enqueue(stamped, bytes, wanted));
  }

  /** Refuses new records, sends what waits, resolves when everything is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    while (this.#sending) await this.#sending;
  }

  #enqueue(records: readonly LogRecord[], bytes: number, wanted: () => boolean): Promise<void> {
    if (this.#closed) return Promise.reject(new PlatformError('DRAINING', 'the batcher is closed'));
    if (this.#bytes + bytes > this.#maxBytes)
      return Promise.reject(
        new PlatformError('LOG_OVERLOADED', 'too many bytes wait for the log', { pendingBytes: this.#bytes }),
      );
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, wanted, resolve, reject });
      this.#queuedBytes += bytes;
      this.#bytes += bytes;
      // While a send is under way, its return is the trigger.
      if (this.#sending) return;
      if (this.#queuedBytes >= this.#flushBytes) this.#flush();
      else this.#cancelLinger ??= this.#later(() => this.#flush(), this.#lingerMs);
    });
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    if (this.#sending || this.#queue.length === 0) return;
    this.#sending = this.#send(this.#take()).finally(() => {
      this.#sending = null;
      this.#flush();
    });
  }

  #take(): Entry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#queue) {
      if (count > 0 && bytes + entry.bytes > this.#batchBytes) break;
      bytes += entry.bytes;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #send(taken: readonly Entry[]): Promise<void> {
    const entries: Entry[] = [];
    for (const entry of taken)
      if (entry.wanted()) entries.push(entry);
      else this.#settle(entry, new PlatformError('TIMEOUT', 'the records waited for the log for too long'));
    if (entries.length === 0) return;
    try {
      await this.#log.append(entries.flatMap((entry) => entry.records));
      for (const entry of entries) this.#settle(entry);
    } catch (error) {
      // A permanent refusal (too large, unknown topic) is one request's own: the others must not pay for it.
      const permanent = isPlatformError(error) && !error.retryable;
      if (permanent && entries.length > 1) for (const entry of entries) await this.#send([entry]);
      else for (const entry of entries) this.#settle(entry, error);
    }
  }

  #settle(entry: Entry, error?: unknown): void {
    this.#bytes -= entry.bytes;
    if (error === undefined) entry.resolve();
    else entry.reject(error);
  }
}
