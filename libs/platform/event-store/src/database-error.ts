import { types } from 'node:util';
import { isPlatformError, PlatformError, type ErrorCode } from '@centralita/contracts';

type DriverError = Error & {
  code?: unknown;
  constraint?: unknown;
  table?: unknown;
  column?: unknown;
  driverError?: unknown;
};

/** Also true for errors of Node itself seen from another realm, where instanceof is not. */
export const isError = (error: unknown): error is Error => error instanceof Error || types.isNativeError(error);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const connectionMessage =
  /connection (terminated|ended|error)|timeout (exceeded|expired)|client (has encountered|was closed)|not queryable|cannot use a pool|does not support SSL|socket has been ended|runner already released/i;

/** Unique constraints of the event store whose violation means that somebody else wrote the stream first. */
const versionConstraints = new Set(['events_stream_version', 'events_pk', 'events_domain_seq']);

const codeOf = (sqlState: string, constraint: string | undefined): ErrorCode => {
  if (sqlState === 'CE412') return 'VERSION_CONFLICT';
  if (sqlState === 'CE409') return 'STALE_EPOCH';
  if (sqlState === '23505' && constraint !== undefined && versionConstraints.has(constraint)) return 'VERSION_CONFLICT';
  // query cancelled, idle in transaction for too long, transaction too long
  if (sqlState === '57014' || sqlState === '25P03' || sqlState === '25P04') return 'TIMEOUT';
  // connection, authorisation while starting, rollback, resources, operator intervention, i/o, lock not available, read-only standby
  if (/^(08|28|40|53|57|58)/.test(sqlState) || sqlState === '55P03' || sqlState === '25006') return 'DATABASE_UNAVAILABLE';
  return 'INTERNAL';
};

const sqlStateOf = (error: DriverError): string | undefined => {
  const code = text(error.code);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !connectionCodes.has(code) ? code : undefined;
};

/**
 * The only form in which a driver's error leaves this package. A driver error repeats parameters, and in its message and detail the
 * values of rows: a phone number would reach the logs. What stays are names of constraints, tables and columns, and the SQLSTATE in
 * `details.sqlState`. Errors that do not come from the driver pass unchanged.
 */
export const databaseError = (error: unknown): unknown => {
  if (isPlatformError(error) || !isError(error)) return error;
  const driver = (error as DriverError).driverError;
  const source: DriverError = isError(driver) ? driver : error;
  const sqlState = sqlStateOf(source);
  if (sqlState === undefined) {
    const code = text(source.code);
    const lost = (code !== undefined && connectionCodes.has(code)) || connectionMessage.test(source.message);
    const fromDriver = error.name === 'QueryFailedError' || source !== error;
    if (lost)
      return new PlatformError('DATABASE_UNAVAILABLE', 'the database cannot be reached', code === undefined ? {} : { code });
    return fromDriver ? new PlatformError('INTERNAL', 'the database driver failed') : error;
  }
  const constraint = text(source.constraint);
  const details = {
    sqlState,
    ...(constraint === undefined ? {} : { constraint }),
    ...(text(source.table) === undefined ? {} : { table: source.table }),
    ...(text(source.column) === undefined ? {} : { column: source.column }),
  };
  // Only these classes speak of identifiers and never of values: syntax and access rules, and our own exceptions.
  const message = /^(42|CE)/.test(sqlState)
    ? source.message
    : `the database refused (${sqlState}${constraint ? `, ${constraint}` : ''})`;
  return new PlatformError(codeOf(sqlState, constraint), message, details);
};

/** Deadlock or serialisation failure: the whole transaction may be run again. */
export const isRetryableTransaction = (error: unknown): boolean =>
  isPlatformError(error) && (error.details['sqlState'] === '40001' || error.details['sqlState'] === '40P01');

/** A unique constraint refused the row; of one constraint when given. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  isPlatformError(error) &&
  error.details['sqlState'] === '23505' &&
  (constraint === undefined || error.details['constraint'] === constraint);
