import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

import type { PlatformEnv } from '../config.js';

export type Tracing = { shutdown(): Promise<void> };

export type TracingOptions = {
  readonly service: string;
  /** For tests: where spans go instead. */
  readonly processors?: SpanProcessor[];
  readonly env?: Partial<PlatformEnv>;
};

/** The samplers of OpenTelemetry by their standard names. */
const samplerOf = ({
  OTEL_TRACES_SAMPLER: name = 'parentbased_always_on',
  OTEL_TRACES_SAMPLER_ARG: ratio = 1,
}: Partial<PlatformEnv>): Sampler => {
  const root = name.endsWith('always_on')
    ? new AlwaysOnSampler()
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
};

/**
 * Traces follow a message from the webhook through the log to its last effect by W3C `traceparent`. The context manager and the
 * propagator are always there, so that a trace started elsewhere passes through; spans are recorded and exported only when an
 * address is given. Spans hold ids, routes and codes, never customer data.
 */
export const startTracing = ({ service, processors, env = {} }: TracingOptions): Tracing => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers, SERVICE_INSTANCE: instance } = env;
  const exporter = (url: string): SpanProcessor =>
    new BatchSpanProcessor({
      exporter: new OTLPTraceExporter({ url: `${url.replace(/\/$/, '')}/v1/traces`, ...(headers && { headers }) }),
    });
  const spanProcessors = processors ?? (endpoint ? [exporter(endpoint)] : []);
  if (spanProcessors.length === 0) return { shutdown: async () => undefined };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: `centralita-${service}`,
      ...(instance ? { [ATTR_SERVICE_INSTANCE_ID]: instance } : {}),
      // What the platform team says of this process comes last, and its name last of all.
      ...env.OTEL_RESOURCE_ATTRIBUTES,
      ...(env.OTEL_SERVICE_NAME ? { [ATTR_SERVICE_NAME]: env.OTEL_SERVICE_NAME } : {}),
    }),
    sampler: samplerOf(env),
    spanProcessors,
  });
  trace.setGlobalTracerProvider(provider);
  return { shutdown: () => provider.shutdown() };
};
