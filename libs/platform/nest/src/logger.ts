import type { LogLevel, LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { isPlatformError } from '@centralita/contracts';
import { activeTraceId, currentContext } from './context.js';

/** Structured log. Write ids, codes and counts; never `data` of an event, a body, a name, a number or a text. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level' | 'flush'>;

/** Fields that hold customer data or secrets somewhere in the platform. They are cut out at any of these depths, in case one slips in. */
const forbidden = [
  'data',
  'body',
  'headers',
  'query',
  'params',
  'parameters',
  'plaintext',
  'payload',
  'text',
  'caption',
  'preview',
  'name',
  'displayName',
  'profileName',
  'phone',
  'phoneMasked',
  'wa_id',
  'waId',
  'from',
  'to',
  'recipient_id',
  'bsuid',
  'user_id',
  'wamid',
  'email',
  'address',
  'ip',
  'sealed',
  'ct',
  'authorization',
  'cookie',
  'token',
  'accessToken',
  'secret',
  'password',
  'key',
  'masterKey',
  'url',
];
const redactPaths = forbidden.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]);

/**
 * What is logged of an error: its code and details when it is ours, its type and stack when not. Messages of foreign errors may
 * repeat the values that broke them (a driver's, a parser's), so only their stack frames are kept.
 */
export const describeError = (error: unknown): Record<string, unknown> => {
  // The logger describes what it is given as `err`; a caller may have done so already.
  if (typeof error === 'object' && error !== null && described.has(error)) return error as Record<string, unknown>;
  const description = describe(error);
  described.add(description);
  return description;
};

const described = new WeakSet<object>();

const describe = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error)) return { type: typeof error };
  const frames = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .join('\n');
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (isPlatformError(error))
    return { type: error.name, code: error.code, message: error.message, details: error.details, ...cause, stack: frames };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, ...code, ...cause, stack: frames };
};

export type LoggerOptions = {
  /** Name of the service, with its role when it has several (`ingest-webhook`). */
  readonly service: string;
  readonly instance?: string;
  /** Default `info`. */
  readonly level?: string;
  readonly destination?: DestinationStream;
};

export const createLogger = (options: LoggerOptions): Logger =>
  pino(
    {
      level: options.level ?? 'info',
      base: { svc: options.service, ...(options.instance ? { instance: options.instance } : {}) },
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      messageKey: 'msg',
      redact: { paths: redactPaths, censor: '[redacted]' },
      serializers: { err: describeError, error: describeError },
      mixin: () => {
        const context = currentContext();
        const traceId = activeTraceId();
        return {
          ...(context ? { tenant: context.tenantId, request_id: context.requestId } : {}),
          ...(traceId ? { trace_id: traceId } : {}),
        };
      },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );

/** Nest's own lines, through the same logger. Errors that Nest logs come with a stack only. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}
  log(message: unknown, ...context: unknown[]): void {
    this.#write('debug', message, context);
  }
  error(message: unknown, ...context: unknown[]): void {
    this.#write('error', message, context);
  }
  warn(message: unknown, ...context: unknown[]): void {
    this.#write('warn', message, context);
  }
  debug(message: unknown, ...context: unknown[]): void {
    this.#write('debug', message, context);
  }
  fatal(message: unknown, ...context: unknown[]): void {
    this.#write('fatal', message, context);
  }
  setLogLevels(_levels: LogLevel[]): void {}

  #write(level: 'debug' | 'warn' | 'error' | 'fatal', message: unknown, context: unknown[]): void {
    const where = context.findLast((item): item is string => typeof item === 'string' && !item.includes('\n'));
    if (message instanceof Error) this.logger[level]({ err: message, context: where }, 'framework error');
    else this.logger[level]({ context: where }, typeof message === 'string' ? message : 'framework message');
  }
}
