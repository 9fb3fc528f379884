import type { ErrorCode, Service, Topic } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import type { Database } from '../database.js';
import type { StoreLogger } from '../types.js';

/** Plain callbacks; durations are seconds. */
export type RelayMetrics = {
  /** After each pass that sent something. */
  published?(sample: { records: number; seconds: number; oldestSeconds: number }): void;
  /** A pass failed in a way that passes. */
  retried?(sample: { code: string }): void;
  /** Somebody has to look: see {@link RelayAlarm}. */
  alarm?(sample: RelayAlarm): void;
};

export type RelayAlarm = {
  /**
   * STORE_BEHIND_LOG: the database does not know what it published, the relay stays closed. INTERNAL: a dirty head without its events.
   * RECORD_TOO_LARGE and others: the log refuses the records of a key. The other keys go on.
   */
  readonly code: ErrorCode;
  readonly topic?: string;
  readonly key?: string;
};

export type RelayOptions = {
  /** Of the relay role, and to the server itself: leases live as long as the session, so a transaction pooler would lose them. */
  readonly url: string;
  readonly log: EventLog;
  /** Whose events these are: what the start check looks for on the log. */
  readonly service: Service;
  /** All topics that this service's event store writes, operations included. */
  readonly topics: readonly Topic[];
  /** Topics that get pointers for {@link feed}. @default all but access and operations */
  readonly feeds?: readonly Topic[];
  /** The same process's database: commits that append, by any handle on it, wake the relay, so that it need not look all the time. */
  readonly database?: Database;
  readonly logger?: StoreLogger;
  readonly metrics?: RelayMetrics;
  /**
   * Longest pause between two looks. They find what nobody has rung for: commits of a process without a relay, or whose notification
   * was lost. @default 250
   */
  readonly idleMs?: number;
  /** Most heads per bucket in one pass. @default 64 */
  readonly headsPerBucket?: number;
  /** What each head of a pass may send in any case. @default 4 */
  readonly eventsPerHead?: number;
  /** What the heads of a pass share when they are few: one hot key has it to itself. @default 4096 */
  readonly eventsPerPass?: number;
  /** Bytes, as stored, after which a pass takes no further event; one event is always taken. @default 4 MiB */
  readonly bytesPerPass?: number;
  /** Between two removals of what is kept only for days: results of commands, pointers of the feed. @default 600000 */
  readonly expiryMs?: number;
  /** How far back the start check looks for a record of this service in each partition. @default 1000 */
  readonly lookBack?: number;
  /** A relay that is silent for longer (frozen, or stuck in an append) loses its buckets. @default 15000 */
  readonly leaseMs?: number;
  /** How long stop() goes on publishing what is there; what is left is the next relay's. @default 5000 */
  readonly drainMs?: number;
};

/** `closed` for good after STORE_BEHIND_LOG; `waiting` while the log or the database cannot be reached. */
export type RelayState = 'stopped' | 'checking' | 'running' | 'waiting' | 'closed';
