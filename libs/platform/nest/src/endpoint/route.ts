import type { EventType, Role } from '@centralita/contracts';
import { createParamDecorator, RequestMapping, RequestMethod, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Actor } from '../auth/actor.js';
import type { TokenScope } from '../auth/token.js';
import type { RequestContext } from '../context.js';
import type { Disclosure, Reply } from './result.js';

/** Event that records a disclosure of a route; refusals are always `customer.data.denied.v1`. */
export type AccessEventType = Extract<
  EventType,
  'customer.data.accessed.v1' | 'customer.data.exported.v1' | 'audit.log.read.v1' | 'break.glass.opened.v1'
>;

export type Audited = {
  /** Name of the look, for example `conversation.thread.read`. */
  readonly action: string;
  /** Type of what is looked at, for example `conversation`. */
  readonly resource: string;
  /** Default `customer.data.accessed.v1`. */
  readonly event?: AccessEventType;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/**
 * One route: who may call it, what goes in, what comes out. Validation, authorization, access recording and the OpenAPI document
 * all follow from this one description.
 */
export type Route<
  Params extends z.ZodType | undefined = z.ZodType | undefined,
  Query extends z.ZodType | undefined = z.ZodType | undefined,
  Body extends z.ZodType | undefined = z.ZodType | undefined,
  Response extends z.ZodType = z.ZodType,
> = {
  readonly method: Method;
  /** Below the service's root, with `:name` parameters, for example `/v1/conversations/:id`. */
  readonly path: string;
  readonly summary: string;
  /** Who may call it. A route without roles fails the start. */
  readonly roles: readonly Role[];
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly response: Response;
  /** Status of success; default 200. */
  readonly status?: number;
  /** Required when the response shows customer data: each answer is recorded before it leaves. */
  readonly audited?: Audited;
  /** The command needs an `idempotency-key`. */
  readonly idempotent?: true;
  /** The command takes the version it expects; `required` answers 428 without it. */
  readonly ifMatch?: 'required' | 'optional';
  /** Only by a token with this scope; such a route stays out of the public API. */
  readonly internal?: TokenScope;
};

export type EndpointInput<Params = undefined, Query = undefined, Body = undefined> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly actor: Actor;
  readonly tenantId: string;
  /** The caller's `idempotency-key`; always there when the route is `idempotent`. */
  readonly idempotencyKey: string | undefined;
  /**
   * For `Commands.run({ tenantId, ...input.command, work })`: the idempotency key, and what was asked, so that the same key with
   * another request is refused. Empty id when the route is not idempotent.
   */
  readonly command: { readonly commandId: string; readonly digest: unknown; readonly clientVersion: boolean };
  /** Value of `if-match` without quotes; always there when the route says `required`. */
  readonly ifMatch: string | undefined;
  /** The caller's `x-causal-token`; it has been waited for already. */
  readonly causalToken: string | undefined;
  /** Aborted when the caller goes away or the process drains. */
  readonly signal: AbortSignal;
  readonly request: RequestContext;
};

/** Input of the handler of a route. */
export type InputOf<R extends Route> =
  R extends Route<infer Params, infer Query, infer Body> ? EndpointInput<Parsed<Params>, Parsed<Query>, Parsed<Body>> : never;

/** What the handler of a route may return: the body, or the body in a {@link Reply} or {@link Disclosure}. */
export type OutputOf<R extends Route> =
  z.input<R['response']> | Reply<z.input<R['response']>> | Disclosure<z.input<R['response']>>;

/** Names a route so that its handler can be typed by `InputOf<typeof route>`. */
export const route = <
  Response extends z.ZodType,
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  definition: Route<Params, Query, Body, Response>,
): Route<Params, Query, Body, Response> => definition;

export const ROUTE = Symbol('centralita:route');
export const INPUT = Symbol('centralita:input');

declare module 'fastify' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- only an interface can be merged with fastify's own
  interface FastifyRequest {
    [INPUT]?: EndpointInput<unknown, unknown, unknown>;
  }
}

const Input = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>()[INPUT],
);

/** Makes a controller method the handler of a route: `(input) => body`, `reply(body, …)` or `disclosure({ body, … })`. */
export const Endpoint =
  <
    Response extends z.ZodType,
    Params extends z.ZodType | undefined = undefined,
    Query extends z.ZodType | undefined = undefined,
    Body extends z.ZodType | undefined = undefined,
  >(
    definition: Route<Params, Query, Body, Response>,
  ) =>
  <
    Handler extends (
      input: EndpointInput<Parsed<Params>, Parsed<Query>, Parsed<Body>>,
    ) => Promise<z.input<Response> | Reply<z.input<Response>> | Disclosure<z.input<Response>>>,
  >(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    SetMetadata(ROUTE, definition)(target, key, descriptor);
    RequestMapping({ method: RequestMethod[definition.method], path: definition.path })(
      target,
      key,
      descriptor as TypedPropertyDescriptor<unknown>,
    );
    Input()(target, key, 0);
  };
