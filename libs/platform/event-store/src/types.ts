import type { Cause, EventData, EventType } from '@centralita/contracts';

/** SQL inside one transaction. Errors are PlatformErrors without parameters or values; see `databaseError`. */
export type SystemTx = {
  /** Rows of the statement, of an UPDATE or DELETE those of its RETURNING. bigint columns are decimal strings: see {@link toBigInt}. */
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Number of rows that the statement touched. */
  execute(sql: string, parameters?: readonly unknown[]): Promise<number>;
  /**
   * A statement of which only its success matters: sent at once, and not waited for before the next one. When it fails, the statements
   * behind it throw its error, or else the commit does.
   */
  post(sql: string, parameters?: readonly unknown[]): void;
};

/** A transaction that sees the rows of one tenant: `app.tenant_id` is set until it ends. */
export type Tx = SystemTx & {
  readonly tenantId: string;
  /** The command that this transaction carries out; goes into the meta of appended events. */
  readonly commandId?: string;
};

export type NewEvent<Type extends EventType = EventType> = {
  [T in Type]: {
    /** Unit of order: subject, stream id or source lane, as the catalogue says for the type. */
    readonly key: string;
    readonly streamId: string;
    /** Version of the stream before its first event in this append (0 = new stream), the same for all of a stream's events. */
    readonly expectedVersion: number | 'any';
    readonly type: T;
    readonly data: EventData<T>;
    /** @default a UUIDv7 */
    readonly id?: string;
    /** When it happened. @default the store's clock */
    readonly time?: Date;
    /** First event of the flow. @default the event's own id */
    readonly correlationId?: string;
    /** Event or command that was handled. @default the transaction's command, else null */
    readonly causationId?: string | null;
    /** The record on the log that made it happen. */
    readonly cause?: Cause;
    /** Trace that it belongs to, for what was handed over and is decided later. @default that of the cause, else the active one */
    readonly traceparent?: string;
  };
}[Type];

export type Appended = {
  readonly id: string;
  readonly key: string;
  readonly keyVersion: bigint;
  readonly streamId: string;
  readonly streamVersion: bigint;
  /** Position in the domain that was given to append, else null. */
  readonly domainSeq: bigint | null;
};

/** Narrow with `event.type === '…'`. */
export type RecordedEvent<Type extends EventType = EventType> = {
  [T in Type]: {
    readonly id: string;
    readonly topic: string;
    readonly key: string;
    readonly keyVersion: bigint;
    readonly streamId: string;
    readonly streamVersion: number;
    readonly type: T;
    readonly data: EventData<T>;
    readonly time: Date;
    readonly recordedAt: Date;
    readonly correlationId: string;
    readonly causationId: string | null;
    readonly cause: Cause | null;
    readonly domainId: string | null;
    readonly domainSeq: bigint | null;
  };
}[Type];

/** A total order over many keys, written by one holder at a time. A stale epoch is refused at append. */
export type DomainLease = { readonly id: string; readonly epoch: bigint };

/** Pointer to an event, for the live stream: no personal data, no content. */
export type FeedItem = {
  readonly id: string;
  readonly version: string;
  readonly type: string;
  readonly streamId: string;
  readonly at: string;
};
export type FeedPage = { readonly items: readonly FeedItem[]; readonly cursor: string };

/** Structured logger; pino fits. Details hold ids, names and counts only. */
export type StoreLogger = {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
};

/** The driver gives bigint columns as decimal strings; this is the one place where they become bigints. */
export const toBigInt = (value: unknown): bigint => {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string' || typeof value === 'number') return BigInt(value);
  throw new TypeError('not an integer column');
};
