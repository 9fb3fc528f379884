import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Batcher } from './batcher.js';
import { createMemoryLog } from './memory-log.js';
import type { LogRecord, RecordBatch } from './port.js';
import { isTraced, linkTraces, tracedBatch, tracedSend, tracedStep, traceparentOfCause } from './tracing.js';

const topic = 'wa.inbound.v1';
const record = (key: string, traceparent?: string): LogRecord => ({
  topic,
  key,
  value: null,
  headers: { 'content-type': 'x', ...(traceparent !== undefined && { traceparent }) },
});
const recorded = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('tracing', () => {
  const exporter = new InMemorySpanExporter();
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  });
  afterEach(() => exporter.reset());
  afterAll(() => {
    trace.disable();
    context.disable();
  });
  const inSpan = <T>(work: () => Promise<T>): Promise<T> =>
    trace.getTracer('test').startActiveSpan('request', async (span) => {
      try {
        return await work();
      } finally {
        span.end();
      }
    });
  const spans = () => exporter.getFinishedSpans();

  it('gives records the trace of who appends them, and leaves a recorded one alone', async () => {
    const sent: LogRecord[] = [];
    await inSpan(() => tracedSend([record('a'), record('b', recorded)], async (records) => void sent.push(...records)));
    const send = spans().find(({ name }) => name === `send ${topic}`);
    const request = spans().find(({ name }) => name === 'request');
    expect(send?.kind).toBe(SpanKind.PRODUCER);
    expect(send?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
    expect(sent[0]?.headers).toEqual({
      'content-type': 'x',
      traceparent: `00-${send?.spanContext().traceId}-${send?.spanContext().spanId}-01`,
    });
    expect(sent[1]?.headers?.['traceparent']).toBe(recorded);
  });

  it('adds nothing when nobody traces', async () => {
    const sent: LogRecord[] = [];
    await tracedSend([record('a')], async (records) => void sent.push(...records));
    expect(sent).toEqual([record('a')]);
    expect(spans()).toEqual([]);
  });

  it('keeps the requests of one batch apart', async () => {
    const log = createMemoryLog();
    const sut = new Batcher({ log, lingerMs: 1 });
    await Promise.all([inSpan(() => sut.add([record('a')])), inSpan(() => sut.add([record('b')])), sut.add([record('c')])]);
    const parents = log.records(topic).map(({ headers }) => headers['traceparent']?.toString().split('-')[1]);
    const requests = spans().filter(({ name }) => name === 'request');
    expect(parents.filter((id) => id !== undefined).sort()).toEqual(requests.map((span) => span.spanContext().traceId).sort());
    expect(requests).toHaveLength(2);
  });

  it('links a batch to the traces of its records, in a trace of its own', async () => {
    const log = createMemoryLog();
    const key = randomUUID();
    await log.append([record(key, recorded), record(key, recorded), record(key, 'rubbish'), record(key)]);
    const records = log.records(topic);
    const batch = { topic, partition: 0, records } as unknown as RecordBatch;
    let active: string | undefined;
    const outcome = tracedBatch(batch, 'group', async () => {
      active = trace.getActiveSpan()?.spanContext().spanId;
      throw new PlatformError('DATABASE_UNAVAILABLE', 'a message that could hold anything');
    });
    await expect(outcome).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    const span = spans().find(({ name }) => name === `receive ${topic}`);
    expect(span?.kind).toBe(SpanKind.CONSUMER);
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.spanContext().spanId).toBe(active);
    expect(span?.links.map((link) => link.context.spanId)).toEqual(['b7ad6b7169203331']);
    expect(span?.attributes).toMatchObject({ 'messaging.batch.message_count': 4, 'messaging.consumer.group.name': 'group' });
    expect(spans().map(({ status }) => status)).toEqual(
      Array.from({ length: 3 }, () => ({ code: SpanStatusCode.ERROR, message: 'DATABASE_UNAVAILABLE' })),
    );
  });

  it('keeps what follows from each record in the trace of that record', async () => {
    const log = createMemoryLog();
    const other = recorded.replace('0af7', '1bf8');
    await log.append([record('a', recorded), record('a', other), record('a')]);
    const records = log.records(topic);
    const batch = { topic, partition: records[0]?.partition, records } as unknown as RecordBatch;
    const followed: (string | undefined)[] = [];
    await tracedBatch(batch, 'group', async () => void followed.push(...records.map(traceparentOfCause)));
    const processed = spans().filter(({ name }) => name === `process ${topic}`);
    expect(processed.map((span) => [span.spanContext().traceId, span.parentSpanContext?.spanId])).toEqual([
      [recorded.split('-')[1], 'b7ad6b7169203331'],
      [other.split('-')[1], 'b7ad6b7169203331'],
    ]);
    expect(followed).toEqual([
      ...processed.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
      undefined,
    ]);
    expect(records.map(traceparentOfCause)).toEqual([undefined, undefined, undefined]);
  });

  it('goes on with a trace whose work waited in a table, and with none where there was none', () => {
    const next = tracedStep(recorded, 'sequence leaf');
    const [span] = spans();
    expect(span?.name).toBe('sequence leaf');
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(next).toBe(`00-0af7651916cd43dd8448eb211c80319c-${span?.spanContext().spanId}-01`);
    for (const none of [undefined, null, '', 'nonsense']) expect(tracedStep(none, 'sequence leaf')).toBeUndefined();
    expect(spans()).toHaveLength(1);
  });

  it('links a look to the traces of what is looked at, once each', async () => {
    expect(isTraced()).toBe(false);
    linkTraces([recorded]);
    await inSpan(async () => {
      expect(isTraced()).toBe(true);
      linkTraces([recorded, recorded, 'nonsense']);
    });
    expect(spans()[0]?.links.map((link) => link.context.traceId)).toEqual(['0af7651916cd43dd8448eb211c80319c']);
  });
});
