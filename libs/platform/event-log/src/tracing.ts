import {
  context,
  createContextKey,
  isSpanContextValid,
  ROOT_CONTEXT,
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
/** In the context of a batch: `traceparent` of what follows from each of its records, by the record's place. */
const CAUSES = createContextKey('centralita.event-log.causes');
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** W3C `traceparent` of a span, undefined when nothing is traced. */
const traceparentOf = (span: Span | undefined): string | undefined => {
  const spanContext = span?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) return undefined;
  return `00-${spanContext.traceId}-${spanContext.spanId}-0${(spanContext.traceFlags & TraceFlags.SAMPLED).toString(16)}`;
};

const parse = (header: Buffer | string | undefined): SpanContext | undefined => {
  const [, traceId, spanId, flags] =
    TRACEPARENT.exec(typeof header === 'string' ? header : (header?.toString('latin1') ?? '')) ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
};

type Place = { readonly topic: string; readonly partition: number; readonly offset: bigint | string };
const placeOf = ({ topic, partition, offset }: Place): string => `${topic}/${partition}/${offset}`;

/** `traceparent` of the active span, for what is decided now and published later; undefined when nothing is traced. */
export const activeTraceparent = (): string | undefined => traceparentOf(trace.getActiveSpan());

/** `traceparent` for what follows from a record of the batch that is being applied: a batch mixes messages, each stays in its own trace. */
export const traceparentOfCause = (cause: Place): string | undefined =>
  (context.active().getValue(CAUSES) as ReadonlyMap<string, string> | undefined)?.get(placeOf(cause));

/**
 * A step of a trace whose work has waited in a table: one span, made when its turn has come, and the `traceparent` for what follows from it.
 * Without a trace there is nothing to go on with.
 */
export const tracedStep = (traceparent: string | null | undefined, name: string): string | undefined => {
  const parent = parse(traceparent ?? undefined);
  if (!parent) return undefined;
  const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL }, trace.setSpanContext(ROOT_CONTEXT, parent));
  span.end();
  return traceparentOf(span);
};

/** Whether what the active span is told will be exported: for questions that are asked for the sake of a trace alone. */
export const isTraced = (): boolean => trace.getActiveSpan()?.isRecording() ?? false;

/** Links the active span to traces that it has to do with and that are not its own: a look at what others have brought about. */
export const linkTraces = (traceparents: readonly string[]): void => {
  const links = [...new Set(traceparents)].flatMap((each): Link[] => {
    const linked = parse(each);
    return linked ? [{ context: linked }] : [];
  });
  trace.getActiveSpan()?.addLinks(links.slice(0, MAX_LINKS));
};

const failedBy = (span: Span, error: unknown): void =>
  // The code alone: messages of foreign errors could carry what they failed on.
  void span.setStatus({
    code: SpanStatusCode.ERROR,
    message: error instanceof Error && 'code' in error ? String(error.code) : 'error',
  });

const run = async <T>(span: Span, work: () => Promise<T>): Promise<T> => {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    failedBy(span, error);
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

/**
 * Runs a batch in a span of its own trace, linked to the traces of its records (a batch has many parents, so none). Beside it each
 * record that brings a trace has a span in that trace, and what is appended because of it goes on there: {@link traceparentOfCause}.
 */
export const tracedBatch = async (batch: RecordBatch, groupId: string, work: () => Promise<void>): Promise<void> => {
  const { topic, partition, records } = batch;
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(partition),
    'messaging.consumer.group.name': groupId,
  };
  const parents = records.flatMap((record) => {
    const parent = parse(record.headers['traceparent']);
    return parent ? [{ parent, offset: record.offset }] : [];
  });
  const links = new Map<string, Link>();
  for (const { parent } of parents) {
    if (links.size >= MAX_LINKS) break;
    links.set(parent.spanId, { context: parent });
  }
  const whole = tracer.startSpan(`receive ${topic}`, {
    kind: SpanKind.CONSUMER,
    root: true,
    links: [...links.values()],
    attributes: { ...attributes, 'messaging.operation.type': 'receive', 'messaging.batch.message_count': records.length },
  });
  const causes = new Map<string, string>();
  const spans = parents.map(({ parent, offset }) => {
    const span = tracer.startSpan(
      `process ${topic}`,
      {
        kind: SpanKind.CONSUMER,
        links: [{ context: whole.spanContext() }],
        attributes: { ...attributes, 'messaging.operation.type': 'process', 'messaging.kafka.offset': Number(offset) },
      },
      trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    const traceparent = traceparentOf(span);
    if (traceparent !== undefined) causes.set(placeOf({ topic, partition, offset }), traceparent);
    return span;
  });
  try {
    await run(whole, () => context.with(context.active().setValue(CAUSES, causes), work));
  } catch (error) {
    for (const span of spans) failedBy(span, error);
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
};
