import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

export type Tracing = { shutdown(): Promise<void> };

/**
 * Traces follow a message from the webhook through the log to its last effect by W3C `traceparent`. The context manager and the
 * propagator are always there, so that a trace started elsewhere passes through; spans are recorded and exported only when an
 * address is given. Spans hold ids, routes and codes, never customer data.
 */
export const startTracing = (options: {
  readonly service: string;
  readonly instance?: string;
  /** Base address of an OTLP/HTTP collector; `/v1/traces` is added. */
  readonly endpoint?: string;
  /** For tests: where spans go instead. */
  readonly processors?: SpanProcessor[];
}): Tracing => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const exporters = options.endpoint
    ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${options.endpoint.replace(/\/$/, '')}/v1/traces` }) })]
    : [];
  const spanProcessors = options.processors ?? exporters;
  if (spanProcessors.length === 0) return { shutdown: async () => undefined };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: `centralita-${options.service}`,
      ...(options.instance ? { [ATTR_SERVICE_INSTANCE_ID]: options.instance } : {}),
    }),
    spanProcessors,
  });
  trace.setGlobalTracerProvider(provider);
  return { shutdown: () => provider.shutdown() };
};
