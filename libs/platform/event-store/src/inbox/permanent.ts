import { isPlatformError, type ErrorCode } from '@centralita/contracts';
import { isError } from '../database-error.js';

/** Not the fault of one record: parking would hide it, key by key. The partition stops. */
const stops: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'VERSION_REUSED',
  'LOG_BEHIND_STORE',
  'STORE_BEHIND_LOG',
  'TOPIC_MISMATCH',
  'TOPIC_UNKNOWN',
  'OFFSET_OUT_OF_RANGE',
  'CONFIGURATION_INVALID',
]);

/** Missing tables or rights, and a broken server: the next record would fail as well. */
const brokenDatabase = /^(0A|42|XX)/;

/**
 * The code under which a record is parked, or null when the error passes by itself or is not about the record. Total: an error of
 * input and output (it has a string code, or was a timeout) passes; any other unknown error is a bug that this record meets each time.
 */
export const permanentCode = (error: unknown): string | null => {
  if (isPlatformError(error)) {
    const sqlState = error.details['sqlState'];
    if (error.retryable || stops.has(error.code)) return null;
    return typeof sqlState === 'string' && brokenDatabase.test(sqlState) ? null : error.code;
  }
  // zod's errors are not all instances of Error.
  if (typeof error === 'object' && error !== null && 'name' in error && error.name === 'ZodError') return 'RECORD_INVALID';
  if (!isError(error)) return 'INTERNAL';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return null;
  return 'code' in error && typeof error.code === 'string' ? null : 'INTERNAL';
};
