import { PlatformError } from '@centralita/contracts';
import { LOGGER, type Logger } from '@centralita/platform-nest';
import { Controller, Get, Header, Inject, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { upstreams } from '../proxy/services.js';
import { requireOwnPage } from '../session/browser-call.js';
import { Sessions } from '../session/sessions.js';
import { Tokens } from './tokens.js';

/** Hands people of the platform team the token with which they operate a service directly: what is parked there is no public API. */
@Controller()
export class OperatorTokenController {
  constructor(
    private readonly tokens: Tokens,
    private readonly sessions: Sessions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get('/auth/operator-token')
  @Header('cache-control', 'no-store')
  @Header('content-type', 'text/plain; charset=utf-8')
  async token(@Req() request: FastifyRequest, @Query('service') name?: string | string[]): Promise<string> {
    // An address that somebody typed is `none`; what another site caused never is.
    if (request.headers['sec-fetch-site'] !== 'none') requireOwnPage(request);
    const session = await this.sessions.require(request);
    if (!session.roles.includes('platform'))
      throw new PlatformError('FORBIDDEN', 'only the platform team operates services', { roles: ['platform'] });
    const service = upstreams.find((upstream) => upstream === name);
    if (service === undefined) throw new PlatformError('VALIDATION_FAILED', `service must be one of ${upstreams.join(', ')}`);
    const origin = { address: request.ip, userAgent: request.headers['user-agent'] };
    const token = await this.tokens.forOperator(service, session, origin);
    this.logger.info({ tenant: session.tenantId, actor: session.actorId, service }, 'operator token given');
    return `${token}\n`;
  }
}
