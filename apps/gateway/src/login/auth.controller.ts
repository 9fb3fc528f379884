import { PlatformError, Session } from '@centralita/contracts';
import { LOGGER, type Logger } from '@centralita/platform-nest';
import { Controller, Get, Header, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { GATEWAY_CONFIG } from '../gateway-tokens.js';
import type { GatewayConfig } from '../config.js';
import { requireOwnPage } from '../session/browser-call.js';
import { isSecure, Sessions } from '../session/sessions.js';
import { personOf } from './claims.js';
import { OidcLogin } from './oidc.js';
import { RateLimit } from './rate-limit.js';

const LOGIN_COOKIE = 'centralita-login';

/** What the provider or its client called it: a code, never its text, which can quote claims of a person. */
const reasonOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error)) return undefined;
  const { error, code } = cause as { error?: unknown; code?: unknown };
  return [error, code].find((name) => typeof name === 'string') ?? cause.name;
};

/** Signing in and out, and who is signed in. */
@Controller()
export class AuthController {
  constructor(
    private readonly oidc: OidcLogin,
    private readonly sessions: Sessions,
    private readonly limit: RateLimit,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get('/auth/login')
  async login(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('returnTo') returnTo?: string | string[],
  ): Promise<void> {
    const begun = await this.#orBack(request, reply, async () => {
      if (!this.limit.take(request.ip)) throw new PlatformError('RATE_LIMITED', 'too many sign-ins from here; wait a minute');
      return this.oidc.begin(typeof returnTo === 'string' ? returnTo : undefined);
    });
    if (begun === null) return;
    const { location, cookie } = begun;
    // Lax: the way back from the provider is a navigation from another site, and must bring this cookie.
    reply.setCookie(LOGIN_COOKIE, cookie, {
      path: '/auth',
      httpOnly: true,
      sameSite: 'lax',
      secure: isSecure(this.config),
      maxAge: 600,
    });
    await reply.header('cache-control', 'no-store').redirect(location, 302);
  }

  @Get('/auth/callback')
  async callback(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const finished = await this.#orBack(request, reply, async () => {
      const { search } = new URL(request.url, this.config.PUBLIC_URL);
      const { claims, returnTo } = await this.oidc.finish(search, request.cookies[LOGIN_COOKIE]);
      return { person: personOf(claims, this.config), returnTo };
    });
    if (finished === null) return;
    const { person, returnTo } = finished;
    // A new id at every login: one that was planted before is worth nothing.
    await this.sessions.close(request);
    const { id, expiresAt } = await this.sessions.open(person);
    this.sessions.setCookie(reply, id, expiresAt);
    reply.clearCookie(LOGIN_COOKIE, { path: '/auth' });
    this.logger.info({ tenant: person.tenantId, actor: person.actorId, roles: person.roles }, 'signed in');
    await reply.header('cache-control', 'no-store').redirect(returnTo, 302);
  }

  /** Ends the session here; `redirect` is where the provider ends its own. */
  @Post('/auth/logout')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async logout(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ redirect: string | null }> {
    requireOwnPage(request);
    await this.sessions.close(request);
    this.sessions.clearCookie(reply);
    // A provider that is down must not keep anybody signed in here.
    return { redirect: await this.oidc.logoutUrl().catch(() => null) };
  }

  @Get('/api/session')
  @Header('cache-control', 'no-store')
  async session(@Req() request: FastifyRequest): Promise<z.infer<typeof Session>> {
    requireOwnPage(request);
    const session = await this.sessions.require(request);
    const tenantName = this.config.TENANTS_FILE.find(({ tenantId }) => tenantId === session.tenantId)?.name;
    if (tenantName === undefined) throw new PlatformError('UNAUTHENTICATED', 'sign in again');
    return {
      actorId: session.actorId,
      tenantId: session.tenantId,
      tenantName,
      label: session.label,
      roles: [...session.roles],
      expiresAt: session.expiresAt.toISOString(),
    };
  }

  /**
   * A step of a sign-in. When it is refused to a person in the middle of it, the console says why in their language, and `null` says
   * that they have been sent there; a script gets the problem document.
   */
  async #orBack<Result>(request: FastifyRequest, reply: FastifyReply, step: () => Promise<Result>): Promise<Result | null> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      this.logger.info({ code: error.code, reason: reasonOf(error.cause) }, 'sign-in refused');
      if (request.headers['sec-fetch-mode'] !== 'navigate') throw error;
      await reply.header('cache-control', 'no-store').redirect(`/?signIn=${error.code}`, 302);
      return null;
    }
  }
}
