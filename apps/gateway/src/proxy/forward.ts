import type { IncomingMessage } from 'node:http';
import { PlatformError } from '@centralita/contracts';
import type { Logger } from '@centralita/platform-nest';
import { context, propagation } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';
import type { SessionRecord } from '../session/sessions.js';
import type { CallOrigin, Tokens } from '../tokens/tokens.js';
import type { PublicRoute } from './route-table.js';
import { addressOf, upstreams, type Upstream } from './services.js';
import { Wire, WireTimeout, type WireCall } from './wire.js';

/** All that goes down; everything else that a client sends stays here. */
const requestHeaders = ['accept', 'content-type', 'idempotency-key', 'if-match', 'x-causal-token'];
/** All that comes up. */
const responseHeaders = [
  'content-type',
  'content-length',
  'content-disposition',
  'content-security-policy',
  'x-content-type-options',
  'etag',
  'retry-after',
  'x-causal-token',
  'x-access-record',
];

/** Passes calls to the services that own them. Once and not again: a repeated read would be a second look. */
export class Forward {
  readonly #wires: Readonly<Record<Upstream, Wire>>;

  constructor(
    config: GatewayConfig,
    private readonly tokens: Tokens,
    private readonly logger: Logger,
  ) {
    this.#wires = Object.fromEntries(upstreams.map((service) => [service, new Wire(addressOf(config, service))])) as Record<
      Upstream,
      Wire
    >;
  }

  /**
   * Sends the call in the session's name and streams the answer back. It is not cut off when the browser goes away before the headers
   * are there: the service may have recorded the look already, and its id must be seen.
   */
  async send(
    route: PublicRoute,
    target: string,
    session: SessionRecord,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const token = await this.tokens.for(route.service, session, originOf(request));
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    for (const name of requestHeaders) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    propagation.inject(context.active(), headers);
    const response = await this.#call(route.service, {
      method: request.method,
      target,
      headers,
      ...(Buffer.isBuffer(request.body) ? { body: request.body } : {}),
    });

    const accessRecord = response.headers['x-access-record'];
    if (accessRecord !== undefined)
      this.logger.info({ accessRecord, route: route.template, actor: session.actorId, tenant: session.tenantId }, 'disclosed');
    reply.code(response.statusCode ?? 502).header('cache-control', 'no-store');
    for (const name of responseHeaders) {
      const value = response.headers[name];
      if (value !== undefined) reply.header(name, value);
    }
    await reply.send(response);
  }

  /** Has a refusal recorded by the owner of the data. Throws AUDIT_UNAVAILABLE when that fails. */
  async recordDenial(
    route: PublicRoute & { readonly resourceId: string },
    session: SessionRecord,
    request: FastifyRequest,
  ): Promise<void> {
    if (!route.audited) return;
    const token = await this.tokens.forDenial(route.service, session, originOf(request));
    const response = await this.#call(route.service, {
      method: 'POST',
      target: '/v1/internal/denials',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from(
        JSON.stringify({ action: route.audited.action, resource: { type: route.audited.resource, id: route.resourceId } }),
      ),
    });
    response.resume();
    if (response.statusCode !== 201)
      throw new PlatformError('AUDIT_UNAVAILABLE', 'the refusal could not be recorded', { status: response.statusCode });
  }

  async #call(service: Upstream, call: WireCall): Promise<IncomingMessage> {
    try {
      return await this.#wires[service].send(call);
    } catch (error) {
      if (error instanceof WireTimeout) throw new PlatformError('TIMEOUT', 'the service took too long', {}, { cause: error });
      throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the service does not answer', {}, { cause: error });
    }
  }
}

const originOf = (request: FastifyRequest): CallOrigin => ({ address: request.ip, userAgent: request.headers['user-agent'] });
