import { CONTENT_TYPE, type CloudEvent, type EventType } from '@centralita/contracts';
import type { LogRecord, RecordBatch } from './port.js';

/** An event with the place where it stands on the log: its cause for whatever follows from it. */
export type ConsumedEvent = {
  readonly event: CloudEvent;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
};

/** Events of one tenant and one partition, in offset order, new to this group, with the transaction that also stores the offset. */
export type EventBatch = {
  readonly tenantId: string;
  readonly topic: string;
  readonly partition: number;
  readonly events: readonly ConsumedEvent[];
  /** The middleware's transaction (event-store's Tx). All effects of the batch go through it. */
  readonly tx: unknown;
};

/** The handler of one topic of a group: for batches, and for records that were parked and are applied again. */
export type TopicHandler = { readonly handle: (batch: EventBatch) => Promise<void>; readonly ignored: ReadonlySet<string> };

/**
 * What turns records into effects: checks the offset, drops duplicates, parks what cannot be read, groups by tenant, calls
 * `handle` once per tenant and commits. `ignored` are types that the handler has declared not to need.
 */
export type BatchMiddleware = (
  batch: RecordBatch,
  handle: (batch: EventBatch) => Promise<void>,
  ignored: ReadonlySet<string>,
) => Promise<void>;

export type OnEventsOptions = { readonly handles: readonly EventType[]; readonly ignores?: readonly EventType[] };

/** A structured-mode CloudEvents record. `traceparent` is the event's own trace when it is published later than it was decided. */
export const eventRecord = (record: { topic: string; key: string; value: Buffer; traceparent?: string }): LogRecord => ({
  topic: record.topic,
  key: record.key,
  value: record.value,
  headers: { 'content-type': CONTENT_TYPE, ...(record.traceparent !== undefined && { traceparent: record.traceparent }) },
});
