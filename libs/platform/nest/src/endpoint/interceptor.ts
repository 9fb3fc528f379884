import { Readable } from 'node:stream';
import { PlatformError, isPlatformError } from '@centralita/contracts';
import { StreamableFile, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { z } from 'zod';
import type { AccessRecorder } from '../access/recorder.js';
import type { Actor } from '../auth/actor.js';
import { runInContext, type RequestContext } from '../context.js';
import { underRequestSpan } from '../runtime/http.js';
import { isBinarySchema, type Binary } from './binary.js';
import { CALLER, resourceOf } from './guard.js';
import { Disclosure, Reply, type ReplyOptions } from './result.js';
import { INPUT, ROUTE, type EndpointInput, type Route } from './route.js';

type Caller = RequestContext & { readonly actor: Actor };
/** Waits until this service has seen what the token stands for; CAUSE_NOT_SEEN after 2 s. */
export type CausalWait = (tenantId: string, token: string) => Promise<void>;

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Paths and rules, not values: zod's own texts name types and limits, never what was sent. */
const fieldErrors = (where: string, error: z.ZodError): { path: string; message: string }[] =>
  error.issues.map((issue) => ({ path: [where, ...issue.path.map(String)].join('.'), message: issue.message }));

/** Version in an entity tag: `"v"`, `W/"v"` or bare. `*` names no version. */
export const versionOf = (ifMatch: string | undefined): string | undefined => {
  const version = ifMatch?.trim().replace(/^(?:W\/)?"(.*)"$/, '$1');
  return version === undefined || version === '' || version === '*' ? undefined : version;
};

/** Serves every `@Endpoint`: validates what goes in and out, waits for causes, and records before it answers. */
export class EndpointInterceptor implements NestInterceptor {
  constructor(
    private readonly recorder: AccessRecorder,
    private readonly waitForCause: CausalWait,
    private readonly draining: AbortSignal,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const route = Reflect.getMetadata(ROUTE, context.getHandler()) as Route | undefined;
    if (!route) return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const caller = request[CALLER];
    if (!caller) throw new PlatformError('UNAUTHENTICATED', 'no caller');
    return from(underRequestSpan(request, () => runInContext(caller, () => this.#serve(route, request, reply, caller, next))));
  }

  async #serve(route: Route, request: FastifyRequest, reply: FastifyReply, caller: Caller, next: CallHandler): Promise<unknown> {
    const input = this.#input(route, request, reply, caller);
    if (input.causalToken !== undefined) await this.waitForCause(caller.tenantId, input.causalToken);
    request[INPUT] = input;
    let result: unknown;
    try {
      result = await lastValueFrom(next.handle() as Observable<unknown>);
    } catch (error) {
      if (route.audited && isPlatformError(error, 'FORBIDDEN'))
        await this.recorder.denied({ action: route.audited.action, resource: resourceOf(route, request) }, caller);
      throw error;
    }
    return this.#answer(route, request, reply, caller, result);
  }

  #input(route: Route, request: FastifyRequest, reply: FastifyReply, caller: Caller): EndpointInput<unknown, unknown, unknown> {
    const errors: { path: string; message: string }[] = [];
    const parse = (where: 'params' | 'query' | 'body', schema: z.ZodType | undefined, value: unknown): unknown => {
      if (!schema) return undefined;
      const parsed = schema.safeParse(value ?? {});
      if (!parsed.success) errors.push(...fieldErrors(where, parsed.error));
      return parsed.data;
    };
    const params = parse('params', route.params, request.params);
    const query = parse('query', route.query, request.query);
    const body = parse('body', route.body, request.body);
    const idempotencyKey = header(request, 'idempotency-key');
    if (route.idempotent && !/^[\x21-\x7e]{8,128}$/.test(idempotencyKey ?? ''))
      errors.push({ path: 'headers.idempotency-key', message: 'is required: 8 to 128 visible characters, new for each command' });
    if (errors.length > 0) {
      // A path that names nothing is not there; the caller need not learn what an id looks like.
      if (errors.every((error) => error.path.startsWith('params.')))
        throw new PlatformError('NOT_FOUND', 'there is nothing here');
      throw new PlatformError(
        'VALIDATION_FAILED',
        `${errors.length === 1 ? 'one field is' : `${errors.length} fields are`} not valid`,
        { errors },
      );
    }
    const ifMatch = route.ifMatch ? versionOf(header(request, 'if-match')) : undefined;
    if (route.ifMatch === 'required' && ifMatch === undefined)
      throw new PlatformError('PRECONDITION_REQUIRED', 'say in If-Match which version you have seen');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return {
      params,
      query,
      body,
      actor: caller.actor,
      tenantId: caller.tenantId,
      idempotencyKey,
      command: {
        commandId: idempotencyKey ?? '',
        digest: {
          actor: caller.actor.id,
          method: route.method,
          path: route.path,
          params: params ?? null,
          body: body ?? null,
          ifMatch: ifMatch ?? null,
        },
        clientVersion: ifMatch !== undefined,
      },
      ifMatch,
      causalToken: header(request, 'x-causal-token'),
      signal: AbortSignal.any([gone.signal, this.draining]),
      request: caller,
    };
  }

  /** Order: 1. check and serialise, 2. record, 3. headers and body. A failure at 1 or 2 sends a problem and no data. */
  async #answer(route: Route, request: FastifyRequest, reply: FastifyReply, caller: Caller, result: unknown): Promise<unknown> {
    if (route.audited && !(result instanceof Disclosure))
      throw new PlatformError('INTERNAL', 'an audited route must return disclosure(…)', {
        route: `${route.method} ${route.path}`,
      });
    if (!route.audited && result instanceof Disclosure)
      throw new PlatformError('INTERNAL', 'a disclosure needs a route that is audited', {
        route: `${route.method} ${route.path}`,
      });
    const options: ReplyOptions =
      result instanceof Disclosure || result instanceof Reply ? (result as Reply<unknown>).options : {};
    const body: unknown =
      result instanceof Disclosure
        ? (result as Disclosure<unknown>).options.body
        : result instanceof Reply
          ? (result as Reply<unknown>).body
          : result;
    const parsed = route.response.safeParse(body);
    if (!parsed.success)
      throw new PlatformError('INTERNAL', 'the answer does not match its schema', {
        route: `${route.method} ${route.path}`,
        fields: fieldErrors('response', parsed.error).map((error) => error.path),
      });
    const bytes = isBinarySchema(route.response) ? (parsed.data as Binary) : null;
    const text = bytes ? '' : JSON.stringify(parsed.data);

    if (result instanceof Disclosure && route.audited) {
      const shown = (result as Disclosure<unknown>).options;
      const resource = shown.resource ?? resourceOf(route, request);
      reply.header('x-access-record', await this.recorder.disclosed(route.audited, { ...shown, resource }, caller));
    }
    reply.status(options.status ?? route.status ?? 200);
    reply.header('cache-control', 'no-store');
    if (options.etag !== undefined) reply.header('etag', `"${options.etag}"`);
    if (options.causalToken !== undefined) reply.header('x-causal-token', options.causalToken);
    if (bytes) return sendBytes(reply, bytes);
    reply.header('content-type', 'application/json; charset=utf-8');
    return text;
  }
}

const sendBytes = (reply: FastifyReply, { bytes, contentType, disposition = 'attachment', length }: Binary): StreamableFile => {
  // Bytes of strangers: never sniffed, never run, not even when opened on their own.
  reply.headers({ 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox" });
  const size = Buffer.isBuffer(bytes) ? bytes.length : length;
  const stream = Buffer.isBuffer(bytes) ? Readable.from([bytes], { objectMode: false }) : bytes;
  return new StreamableFile(stream, { type: contentType, disposition, ...(size === undefined ? {} : { length: size }) });
};
