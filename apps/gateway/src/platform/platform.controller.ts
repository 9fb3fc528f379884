import { PlatformError, PlatformParkedParams, PlatformParkedQuery, SkipBody, type PlatformOverview } from '@centralita/contracts';
import type { PlatformParkedPage } from '@centralita/contracts';
import { underRequestSpan } from '@centralita/platform-nest';
import { Controller, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { requireOwnPage } from '../session/browser-call.js';
import { Sessions, type SessionRecord } from '../session/sessions.js';
import { ParkedKeysOfAll, type OperatorCall } from './parked.js';
import { PlatformFiguresSource } from './source.js';

const parsed = <Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> => {
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  throw new PlatformError('VALIDATION_FAILED', `${what} is not valid`, {
    errors: found.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  });
};
const jsonOf = (body: unknown): unknown => {
  try {
    return Buffer.isBuffer(body) ? JSON.parse(body.toString('utf8')) : undefined;
  } catch {
    throw new PlatformError('VALIDATION_FAILED', 'the body is no JSON');
  }
};

/** What people of the platform team see and decide in the console. Order: our own page, a session, the role. */
@Controller('/api/v1/platform')
export class PlatformController {
  constructor(
    private readonly sessions: Sessions,
    private readonly figures: PlatformFiguresSource,
    private readonly parked: ParkedKeysOfAll,
  ) {}

  @Get('overview')
  @Header('cache-control', 'no-store')
  async overview(@Req() request: FastifyRequest): Promise<PlatformOverview> {
    await this.#require(request);
    return this.figures.overview();
  }

  @Get('parked')
  @Header('cache-control', 'no-store')
  async list(@Req() request: FastifyRequest): Promise<PlatformParkedPage> {
    return underRequestSpan(request, async () => {
      const session = await this.#require(request);
      return this.parked.list(parsed(PlatformParkedQuery, request.query, 'the query'), callOf(session, request));
    });
  }

  @Post('parked/:process/:key/retry')
  @HttpCode(200)
  retry(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#decide('retry', request, reply);
  }

  @Post('parked/:process/:key/skip')
  @HttpCode(200)
  skip(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#decide('skip', request, reply);
  }

  async #decide(decision: 'retry' | 'skip', request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await underRequestSpan(request, async () => {
      const session = await this.#require(request);
      const { process, key } = parsed(PlatformParkedParams, request.params, 'the address');
      const body = decision === 'skip' ? parsed(SkipBody, jsonOf(request.body), 'the body') : undefined;
      const answer = await this.parked.decide(process, key, decision, body, callOf(session, request));
      await reply.code(answer.status).header('cache-control', 'no-store').header('content-type', answer.type).send(answer.body);
    });
  }

  async #require(request: FastifyRequest): Promise<SessionRecord> {
    requireOwnPage(request);
    const session = await this.sessions.require(request);
    if (!session.roles.includes('platform'))
      throw new PlatformError('FORBIDDEN', 'only the platform team operates services', { roles: ['platform'] });
    return session;
  }
}

const callOf = (session: SessionRecord, request: FastifyRequest): OperatorCall => ({
  session,
  origin: { address: request.ip, userAgent: request.headers['user-agent'] },
});
