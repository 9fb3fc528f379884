import { PlatformError } from '@centralita/contracts';
import { underRequestSpan } from '@centralita/platform-nest';
import { All, Controller, Get, Header, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';
import { GATEWAY_CONFIG } from '../gateway-tokens.js';
import { requireOwnPage } from '../session/browser-call.js';
import { Sessions } from '../session/sessions.js';
import { mergedDocument } from './api-document.js';
import { Forward } from './forward.js';
import { RouteTable } from './route-table.js';

/**
 * Path and query to send on. A path that another parser might read differently (escaped slashes and dots, doubled slashes,
 * backslashes) is not there: what was checked must be what the service gets.
 */
export const targetOf = (url: string): { path: string; target: string } => {
  const [path = '', ...query] = url.replace(/^\/api(?=\/)/, '').split('?');
  if (!/^(?:\/[A-Za-z0-9_~.@:+=-]+)+$/.test(path) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path))
    throw new PlatformError('NOT_FOUND', 'there is nothing here');
  return { path, target: query.length === 0 ? path : `${path}?${query.join('?')}` };
};

/** The public API. Order: our own page, a session, a public route, a role, then the owner. */
@Controller()
export class ApiController {
  constructor(
    private readonly sessions: Sessions,
    private readonly table: RouteTable,
    private readonly forward: Forward,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Get('/api/openapi.json')
  @Header('cache-control', 'no-cache')
  document(): Record<string, unknown> {
    return mergedDocument(this.table, this.config.PUBLIC_URL);
  }

  @All('/api/*')
  async call(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await underRequestSpan(request, async () => {
      requireOwnPage(request);
      const session = await this.sessions.require(request);
      const { path, target } = targetOf(request.url);
      const route = this.table.find(request.method, path);
      if (!route.roles.some((role) => session.roles.includes(role))) {
        await this.forward.recordDenial(route, session, request);
        throw new PlatformError('FORBIDDEN', 'your role may not do this', { roles: route.roles });
      }
      await this.forward.send(route, target, session, request, reply);
    });
  }
}
