import { AsyncLocalStorage } from 'node:async_hooks';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { Actor } from './auth/actor.js';

/** What is known about the request being served, wherever the code is that asks. Holds ids only. */
export type RequestContext = {
  readonly requestId: string;
  readonly tenantId: string;
  readonly actor: Actor | null;
  /** Where the call came from, as the gateway saw it; only ever stored as a commitment. */
  readonly address: string | null;
  /** Product of the user agent, for example `Firefox/140`. */
  readonly userAgent: string | null;
};

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs work with the context of one request; everything awaited inside sees it. */
export const runInContext = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);

/** Id of the trace that is under way, when there is one. */
export const activeTraceId = (): string | undefined => {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? span.traceId : undefined;
};

/** The context of the request being served, undefined outside of one (consumers, timers). */
export const currentContext = (): RequestContext | undefined => storage.getStore();
