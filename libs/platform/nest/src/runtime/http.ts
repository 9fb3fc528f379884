import type { Server } from 'node:http';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.js';

export const TRACE = Symbol('centralita:trace');

declare module 'fastify' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- only an interface can be merged with fastify's own
  interface FastifyRequest {
    [TRACE]?: { readonly span: Span; readonly context: Context };
  }
}

/** Runs work under the span of a request. Body parsing loses the async context, so it is kept on the request. */
export const underRequestSpan = <T>(request: FastifyRequest, work: () => T): T =>
  request[TRACE] ? context.with(request[TRACE].context, work) : work();

/** Fastify with the platform's limits: no HEAD twins of GET routes (they would be looks without a reader), a bound on bodies. */
export const createHttpAdapter = (options: {
  readonly bodyLimit: number;
  readonly trustProxyHops?: number;
  /** Longest time, in milliseconds, from the first byte of a request (or from the connection) to its last. @default 30000 */
  readonly requestTimeoutMs?: number;
}): FastifyAdapter => {
  const requestTimeout = options.requestTimeoutMs ?? 30_000;
  return new FastifyAdapter({
    bodyLimit: options.bodyLimit,
    // A path parameter may be as long as a route's schema says (the id of a statement line has 300 characters); the router stops at 100.
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    logger: false,
    // The hop count is explicit: whoever is nearer than that is our own proxy.
    trustProxy: (_address, hop) => hop < (options.trustProxyHops ?? 0),
    requestTimeout,
    keepAliveTimeout: 72_000,
    return503OnClosing: true,
    http: {
      // Whoever sends headers byte by byte, or nothing at all, is let go; Node looks for them only every 30 s unless told.
      headersTimeout: Math.min(requestTimeout, 10_000),
      connectionsCheckingInterval: Math.min(requestTimeout, 1000),
    },
  });
};

/** Rate, errors and duration per route as written, and one server span per request. Ids in paths are neither label nor span name. */
export const observeHttp = (instance: FastifyInstance, metrics: Metrics): void => {
  const tracer = trace.getTracer('@centralita/platform-nest');
  instance.addHook('onRequest', (request, _reply, done) => {
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    const route = request.routeOptions.url ?? 'unmatched';
    const span = tracer.startSpan(
      `${request.method} ${route}`,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': request.method, 'http.route': route } },
      parent,
    );
    request[TRACE] = { span, context: trace.setSpan(parent, span) };
    done();
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.httpRequests.inc({ method: request.method, route, status: String(reply.statusCode) });
    metrics.httpSeconds.observe({ method: request.method, route }, reply.elapsedTime / 1000);
    const span = request[TRACE]?.span;
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
};

/**
 * How a server closes without cutting anybody off: no new connection, every request under way is answered, then the rest of the
 * connections goes. To be called before it listens. (Node's own close waits for connections that fell idle later, and for those on
 * which nothing was ever sent.)
 */
export const gracefulClose = (server: Server): (() => Promise<void>) => {
  let underWay = 0;
  server.on('request', (_request, response) => {
    underWay += 1;
    response.once('close', () => (underWay -= 1));
  });
  return () =>
    new Promise<void>((resolve) => {
      const closeRest = (): void => (underWay === 0 ? server.closeAllConnections() : server.closeIdleConnections());
      const timer = setInterval(closeRest, 20);
      server.close(() => {
        clearInterval(timer);
        resolve();
      });
      closeRest();
    });
};
