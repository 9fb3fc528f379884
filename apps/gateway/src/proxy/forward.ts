import { Readable } from 'node:stream';
import { PlatformError } from '@centralita/contracts';
import type { Logger } from '@centralita/platform-nest';
import { context, propagation } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';
import type { SessionRecord } from '../session/sessions.js';
import type { Tokens } from '../tokens/tokens.js';
import type { PublicRoute } from './route-table.js';
import { addressOf } from './services.js';

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

const UPSTREAM_TIMEOUT_MS = 30_000;

/** Passes calls to the services that own them. Once and not again: a repeated read would be a second look. */
export class Forward {
  constructor(
    private readonly config: GatewayConfig,
    private readonly tokens: Tokens,
    private readonly logger: Logger,
  ) {}

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
    const token = await this.tokens.sign(route.service, session, {
      address: request.ip,
      userAgent: request.headers['user-agent'],
    });
    const headers = new Headers({ authorization: `Bearer ${token}` });
    for (const name of requestHeaders) {
      const value = request.headers[name];
      if (typeof value === 'string') headers.set(name, value);
    }
    propagation.inject(context.active(), headers, { set: (carrier, key, value) => carrier.set(key, value) });
    const body = Buffer.isBuffer(request.body) && request.body.length > 0 ? { body: new Uint8Array(request.body) } : {};
    const response = await this.#fetch(`${addressOf(this.config, route.service)}${target}`, {
      method: request.method,
      headers,
      ...body,
    });

    const accessRecord = response.headers.get('x-access-record');
    if (accessRecord !== null)
      this.logger.info({ accessRecord, route: route.template, actor: session.actorId, tenant: session.tenantId }, 'disclosed');
    reply.code(response.status).header('cache-control', 'no-store');
    for (const name of responseHeaders) {
      const value = response.headers.get(name);
      if (value !== null) reply.header(name, value);
    }
    await reply.send(response.body === null ? '' : Readable.fromWeb(response.body));
  }

  /** Has a refusal recorded by the owner of the data. Throws AUDIT_UNAVAILABLE when that fails. */
  async recordDenial(
    route: PublicRoute & { readonly resourceId: string },
    session: SessionRecord,
    request: FastifyRequest,
  ): Promise<void> {
    if (!route.audited) return;
    const origin = { address: request.ip, userAgent: request.headers['user-agent'] };
    const token = await this.tokens.sign(route.service, session, origin, 'denial');
    const response = await this.#fetch(`${addressOf(this.config, route.service)}/v1/internal/denials`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ action: route.audited.action, resource: { type: route.audited.resource, id: route.resourceId } }),
    });
    await response.body?.cancel();
    if (response.status !== 201)
      throw new PlatformError('AUDIT_UNAVAILABLE', 'the refusal could not be recorded', { status: response.status });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS) });
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError')
        throw new PlatformError('TIMEOUT', 'the service took too long', {}, { cause: error });
      throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the service does not answer', {}, { cause: error });
    }
  }
}
