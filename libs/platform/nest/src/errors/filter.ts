import { randomUUID } from 'node:crypto';
import { isPlatformError, PlatformError, type Problem } from '@centralita/contracts';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { activeTraceId, currentContext, runInContext } from '../context.js';
import { CALLER } from '../endpoint/guard.js';
import { describeError, type Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { underRequestSpan } from '../runtime/http.js';
import { codeForStatus, httpAnswers, problemOf } from './http.js';

const statusOf = (error: unknown): number | undefined => {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
  return undefined;
};

/** Any failure as a PlatformError. Texts of foreign errors stay behind as the cause: they may repeat what the client sent. */
export const asPlatformError = (error: unknown): PlatformError => {
  if (isPlatformError(error)) return error;
  const status = statusOf(error);
  if (status === undefined) return new PlatformError('INTERNAL', 'unexpected failure', {}, { cause: error });
  const code = codeForStatus(status);
  return new PlatformError(code, httpAnswers[code].title, {}, { cause: error });
};

/** Sends any failure as a problem document and logs it: our own faults as errors, refusals at debug. */
export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): Problem => {
  const failure = asPlatformError(error);
  const traceId = activeTraceId();
  const problem = problemOf({
    code: failure.code,
    detail: failure.message,
    retryable: failure.retryable,
    details: failure.details,
    instance: `urn:uuid:${currentContext()?.requestId ?? randomUUID()}`,
    ...(traceId ? { traceId } : {}),
  });
  const line = {
    err: describeError(failure),
    route: request.routeOptions?.url,
    method: request.method,
    status: problem.status,
    instance: problem.instance,
  };
  if (problem.status >= 500) logger.error(line, 'request failed');
  else logger.debug(line, 'request refused');
  if (reply.sent) return problem;
  void reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .headers(problem.retryable ? { 'retry-after': '1' } : {})
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
  return problem;
};

/** A filter runs outside of what the interceptor set up, so the context is taken from the request again. */
const underRequest = <T>(request: FastifyRequest, work: () => T): T => {
  const caller = request[CALLER];
  return underRequestSpan(request, () => (caller ? runInContext(caller, work) : work()));
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly metrics?: Pick<Metrics, 'problems'>,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // In a hybrid application the filter is also asked for consumer errors; those keep their code on the way to the strategy.
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = underRequest(request, () => sendProblem(error, request, http.getResponse<FastifyReply>(), this.logger));
    this.metrics?.problems.inc({ code: problem.code });
  }
}
