import { randomUUID } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AccessRecorder } from '../access/recorder.js';
import type { Actor } from '../auth/actor.js';
import type { TokenVerifier } from '../auth/token.js';
import { runInContext, type RequestContext } from '../context.js';
import { OPEN } from './open.js';
import { ROUTE, type Route } from './route.js';

export const CALLER = Symbol('centralita:caller');

declare module 'fastify' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- only an interface can be merged with fastify's own
  interface FastifyRequest {
    [CALLER]?: RequestContext & { readonly actor: Actor };
  }
}

/** What a refused request was after: the audited resource with the id in its path. */
export const resourceOf = (route: Route, request: FastifyRequest): { type: string; id: string } => {
  const [id] = Object.values((request.params ?? {}) as Record<string, string>);
  return { type: (route.audited?.resource ?? 'route').slice(0, 32), id: (id ?? 'list').slice(0, 80) };
};

/** Deny by default: a valid token of the gateway for this service, and one of the route's roles. Refused looks are recorded. */
export class EndpointGuard implements CanActivate {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly recorder: AccessRecorder,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Records come from the log, which has no caller; their tenant is in the event.
    if (context.getType() !== 'http') return true;
    const handler = context.getHandler();
    if (Reflect.hasMetadata(OPEN, handler)) return true;
    const route = Reflect.getMetadata(ROUTE, handler) as Route | undefined;
    if (!route) throw new PlatformError('FORBIDDEN', 'this route names no roles');

    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const claims = await this.verifier.verify(request.headers.authorization);
    const role = route.roles.find((allowed) => claims.roles.includes(allowed)) ?? claims.roles[0];
    if (role === undefined) throw new PlatformError('FORBIDDEN', 'the caller has no role');
    const actor: Actor = { id: claims.sub, role, roles: claims.roles, session: claims.sid, tenantId: claims.tenant };
    const caller = {
      requestId: randomUUID(),
      tenantId: claims.tenant,
      actor,
      address: claims.ip ?? null,
      userAgent: claims.ua ?? null,
    };
    request[CALLER] = caller;
    if (claims.scope !== route.internal) throw new PlatformError('FORBIDDEN', 'the token is for something else');
    if (route.roles.includes(role)) return true;
    const { audited } = route;
    if (audited)
      await runInContext(caller, () =>
        this.recorder.denied({ action: audited.action, resource: resourceOf(route, request) }, caller),
      );
    throw new PlatformError('FORBIDDEN', 'your role may not do this', { roles: route.roles });
  }
}
