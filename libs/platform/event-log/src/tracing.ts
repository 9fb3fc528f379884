import {
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import type { LogRecord, RecordBatch } from './port.js';

const tracer = trace.getTracer('@centralita/event-log');

/** Links of a batch span beyond this add size, not insight. */
const MAX_LINKS = 128;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** W3C `traceparent` of a span, undefined when nothing is traced. */
const traceparentOf = (span: Span | undefined): string | undefined => {
  const spanContext = span?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) return undefined;
  return `00-${spanContext.traceId}-${spanContext.spanId}-0${(spanContext.traceFlags & TraceFlags.SAMPLED).toString(16)}`;
};

const parse = (header: Buffer | undefined): SpanContext | undefined => {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header?.toString('latin1') ?? '') ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
};

const run = async <T>(span: Span, work: () => Promise<T>): Promise<T> => {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    // The code alone: messages of foreign errors could carry what they failed on.
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error && 'code' in error ? String(error.code) : 'error',
    });
    throw error;
  } finally {
    span.end();
  }
};

/**
 * Wraps a send in a producer span and puts its `traceparent` on records that have none (the relay's records bring the trace in
 * which they were decided). Without an active span nothing is added: a send of many requests belongs to no single trace.
 */
export const tracedSend = async (
  records: readonly LogRecord[],
  send: (records: readonly LogRecord[]) => Promise<void>,
): Promise<void> => {
  if (!trace.getActiveSpan()) return send(records);
  const topics = [...new Set(records.map((record) => record.topic))];
  const span = tracer.startSpan(`send ${topics.length === 1 ? topics[0] : 'batch'}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': records.length,
      ...(topics.length === 1 && { 'messaging.destination.name': topics[0] }),
    },
  });
  const traceparent = traceparentOf(span);
  const stamped =
    traceparent === undefined
      ? records
      : records.map((record) =>
          record.headers?.['traceparent'] ? record : { ...record, headers: { ...record.headers, traceparent } },
        );
  return run(span, () => send(stamped));
};

/** Runs a batch in a consumer span of its own trace, linked to the traces of its records (a batch has many parents, so none). */
export const tracedBatch = (batch: RecordBatch, groupId: string, work: () => Promise<void>): Promise<void> => {
  const links = new Map<string, Link>();
  for (const record of batch.records) {
    if (links.size >= MAX_LINKS) break;
    const spanContext = parse(record.headers['traceparent']);
    if (spanContext) links.set(spanContext.spanId, { context: spanContext });
  }
  const span = tracer.startSpan(`process ${batch.topic}`, {
    kind: SpanKind.CONSUMER,
    root: true,
    links: [...links.values()],
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': batch.topic,
      'messaging.destination.partition.id': String(batch.partition),
      'messaging.consumer.group.name': groupId,
      'messaging.batch.message_count': batch.records.length,
    },
  });
  return run(span, work);
};
