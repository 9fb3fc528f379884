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
const CENSORED = '[redacted]';
/** For what children are made with; what a line itself is given is looked through as deep as it goes. */
const redactPaths = forbidden.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]);
const forbiddenFields: ReadonlySet<string> = new Set(forbidden);
/** Deeper is no line of a log any more. */
const DEEPEST = 8;

/** What may be written of a value: without forbidden fields, at any depth, and with errors as {@link describeError} has them. */
const allowed = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (described.has(value)) return value;
  if (depth >= DEEPEST) return '[too deep]';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return CENSORED;
  if (Array.isArray(value)) return value.map((each) => allowed(each, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return allowed((value.toJSON as () => unknown)(), depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [field, forbiddenFields.has(field) ? CENSORED : allowed(inner, depth + 1)]),
  );
};

/**
 * The last fence: numbers as customers have them (E.164), addresses of mail, ids of customers and of messages at Meta. Whoever gets here has
 * already made a mistake; names and texts look like any other word, so messages of lines are constants.
 */
const personal = /\+\d{8,15}\b|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b|\b[A-Z]{2}\.\d{8,}\b|\bwamid\.[\w+/=-]+/g;

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

/** Names and codes are words of programmers (ECONNREFUSED, 23505), not what somebody wrote. */
const isLabel = (text: string): boolean => /^[\w.-]{1,60}$/.test(text) && !/\d{6}/.test(text);

const describe = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error)) return { type: typeof error };
  const frames = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .join('\n');
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (isPlatformError(error))
    return {
      type: error.name,
      code: error.code,
      message: error.message,
      details: allowed(error.details),
      ...cause,
      stack: frames,
    };
  const code = 'code' in error && typeof error.code === 'string' && isLabel(error.code) ? { code: error.code } : {};
  return { type: isLabel(error.name) ? error.name : 'Error', ...code, ...cause, stack: frames };
};

/** `err` and `error` are left to their serializers, as everywhere. */
const linesOf = (line: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(line).map(([field, value]) => [
      field,
      field === 'err' || field === 'error' ? value : forbiddenFields.has(field) ? CENSORED : allowed(value, 1),
    ]),
  );

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
      formatters: { level: (level) => ({ level }), log: (line) => linesOf(line) },
      hooks: { streamWrite: (line) => line.replace(personal, CENSORED) },
      messageKey: 'msg',
      redact: { paths: redactPaths, censor: CENSORED },
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
