import { FeedPage, PlatformError } from '@centralita/contracts';
import { DRAIN, type DrainController } from '@centralita/platform-nest';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v5 as uuidV5 } from 'uuid';
import { GATEWAY_CONFIG } from '../gateway-tokens.js';
import type { GatewayConfig } from '../config.js';
import { securityHeaders } from '../console/security-headers.js';
import { addressOf, liveServices, type LiveService } from '../proxy/services.js';
import { requireOwnPage } from '../session/browser-call.js';
import { isSecure, Sessions } from '../session/sessions.js';
import { Tokens } from '../tokens/tokens.js';
import { LiveConnection, type Sink } from './connection.js';
import { decodeCursor, fromNow } from './cursor.js';
import { FeedTail, type ReadFeed } from './tail.js';

const HEARTBEAT_MS = 5000;
/** A browser that does not read is let go; it resumes by its cursor. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

type PerService<Value> = Record<LiveService, Value>;

/**
 * GET /api/live: pointers to what changed in the tenant, merged from the feeds of conversation and routing. Never customer data. An event
 * `gap` names a service of which something may never be told: then the views are to be read again.
 */
@Controller()
export class LiveController {
  readonly #tails = new Map<string, PerService<FeedTail>>();

  constructor(
    private readonly sessions: Sessions,
    private readonly tokens: Tokens,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    @Inject(DRAIN) private readonly drain: DrainController,
  ) {}

  @Get('/api/live')
  async live(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query('cursor') cursor?: string): Promise<void> {
    requireOwnPage(request);
    const session = await this.sessions.require(request);
    const resume = request.headers['last-event-id'] ?? cursor;
    const connection = typeof resume === 'string' && resume !== '' ? decodeCursor(resume) : fromNow();
    if (this.drain.draining) throw new PlatformError('DRAINING', 'this instance is shutting down');

    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...securityHeaders(isSecure(this.config)),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    const gone = new AbortController();
    const close = (): void => {
      gone.abort();
      raw.end();
    };
    raw.once('close', close);
    this.drain.signal.addEventListener('abort', close, { signal: gone.signal });
    const sink: Sink = {
      closed: gone.signal,
      send: (event, id, data) => {
        if (gone.signal.aborted) return;
        raw.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
        if (raw.writableLength > MAX_BUFFERED_BYTES) close();
      },
    };
    const stream = new LiveConnection(connection, sink);
    const beat = (): void => sink.send('heartbeat', stream.id, { at: new Date().toISOString() });
    // Opens the stream at once; the first heartbeat says that everything from here on will be told.
    raw.write(': open\n\n');
    const heartbeat = setInterval(() => {
      beat();
      // A session that ended elsewhere ends its streams too.
      void this.sessions.find(request).then(
        (found) => (found === null ? close() : undefined),
        () => undefined,
      );
    }, HEARTBEAT_MS);
    gone.signal.addEventListener('abort', () => clearInterval(heartbeat));
    const readers = this.#readers(session.tenantId);
    await stream.run(this.#tailsOf(session.tenantId, readers), readers);
    beat();
  }

  #tailsOf(tenantId: string, readers: PerService<ReadFeed>): PerService<FeedTail> {
    const known = this.#tails.get(tenantId);
    if (known) return known;
    const tails = { conversation: new FeedTail(readers.conversation), routing: new FeedTail(readers.routing) };
    this.#tails.set(tenantId, tails);
    return tails;
  }

  #readers(tenantId: string): PerService<ReadFeed> {
    const [conversation, routing] = liveServices.map((service) => this.#reader(tenantId, service)) as [ReadFeed, ReadFeed];
    return { conversation, routing };
  }

  /** Pointers are the tenant's, not a person's: the gateway reads them in its own name. */
  #reader(tenantId: string, service: LiveService): ReadFeed {
    const reader = {
      actorId: uuidV5('gateway:live', tenantId),
      tenantId,
      roles: ['platform'] as const,
      reference: 'gateway-live',
    };
    return async (cursor, waitSeconds, signal) => {
      const url = new URL(`${addressOf(this.config, service)}/v1/feed`);
      url.searchParams.set('wait', String(waitSeconds));
      if (cursor !== null) url.searchParams.set('cursor', cursor);
      const token = await this.tokens.for(service, reader, {});
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.any([signal, this.drain.signal, AbortSignal.timeout((waitSeconds + 10) * 1000)]),
      });
      if (!response.ok) {
        await response.body?.cancel();
        // Not this service's, or not any more: nothing that is tried again changes that.
        if (cursor !== null && (response.status === 410 || response.status === 400))
          throw new PlatformError('CURSOR_GONE', 'the feed does not know this cursor', { service });
        throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the feed does not answer', { service, status: response.status });
      }
      return FeedPage.parse(await response.json());
    };
  }
}
