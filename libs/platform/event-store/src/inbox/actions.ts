import { isPlatformError, type ErrorCode } from '@centralita/contracts';
import { isError } from '../database-error.js';

/**
 * What a consumer does with a failure of a handler, by its code: the table that the inbox acts on.
 * - `retry`: the whole batch again, after a pause; the position does not move.
 * - `park`: the record and everything later of its key wait for an operator; other keys go on.
 * - `stop`: the partition stops with an alarm; going on would build on a broken history.
 */
export type ConsumerAction = 'retry' | 'park' | 'stop';

export const consumerActions = {
  VALIDATION_FAILED: 'park',
  UNAUTHENTICATED: 'park',
  FORBIDDEN: 'park',
  NOT_FOUND: 'park',
  PAYLOAD_TOO_LARGE: 'park',
  SIGNATURE_INVALID: 'park',
  PRECONDITION_REQUIRED: 'park',
  // The inbox has already loaded again and tried, three times.
  VERSION_CONFLICT: 'park',
  IDEMPOTENCY_MISMATCH: 'park',
  CAUSE_NOT_SEEN: 'retry',
  CURSOR_GONE: 'park',
  RATE_LIMITED: 'retry',
  WINDOW_CLOSED: 'park',
  WINDOW_NEVER_OPENED: 'park',
  NOT_ASSIGNED: 'park',
  CONVERSATION_CLOSED: 'park',
  OFFER_GONE: 'park',
  DISPOSITION_REQUIRED: 'park',
  TEMPLATE_UNKNOWN: 'park',
  TEMPLATE_INVALID: 'park',
  AGENT_UNKNOWN: 'park',
  PERIOD_CLOSED: 'park',
  PERIOD_NOT_OVER: 'park',
  REASON_REQUIRED: 'park',
  ERASED: 'park',
  RECORD_INVALID: 'park',
  EVENT_UNKNOWN: 'park',
  CAUSE_MISSING: 'park',
  STALE_EPOCH: 'retry',
  VERSION_REUSED: 'stop',
  LOG_BEHIND_STORE: 'stop',
  STORE_BEHIND_LOG: 'stop',
  KEY_UNAVAILABLE: 'retry',
  SUBJECT_CLOSING: 'park',
  DECRYPTION_FAILED: 'park',
  RECORD_TOO_LARGE: 'park',
  TOPIC_UNKNOWN: 'stop',
  TOPIC_MISMATCH: 'stop',
  OFFSET_OUT_OF_RANGE: 'stop',
  LOG_UNAVAILABLE: 'retry',
  LOG_OVERLOADED: 'retry',
  DATABASE_UNAVAILABLE: 'retry',
  AUDIT_UNAVAILABLE: 'retry',
  UPSTREAM_UNAVAILABLE: 'retry',
  TIMEOUT: 'retry',
  DRAINING: 'retry',
  CONFIGURATION_INVALID: 'stop',
  INTERNAL: 'park',
} as const satisfies Record<ErrorCode, ConsumerAction>;

/** Missing tables or rights, and a broken server: the next record would fail as well. */
const brokenDatabase = /^(0A|42|XX)/;

/** Names of errors that say that code was wrong about its values. Those that Node throws itself have a string code too. */
const bugs = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'AssertionError']);

/**
 * Total. An error of input and output (it has a string code, or was a timeout) passes; any other that is not ours is a bug, which this
 * record meets each time.
 */
export const consumerActionOf = (error: unknown): ConsumerAction => {
  if (isPlatformError(error)) {
    const sqlState = error.details['sqlState'];
    const action = consumerActions[error.code];
    return action === 'park' && typeof sqlState === 'string' && brokenDatabase.test(sqlState) ? 'stop' : action;
  }
  if (!isError(error)) return 'park';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'retry';
  return 'code' in error && typeof error.code === 'string' && !bugs.has(error.name) ? 'retry' : 'park';
};

/** The code under which a record is parked, or null when the error is not about the record. */
export const permanentCode = (error: unknown): ErrorCode | null => {
  if (consumerActionOf(error) !== 'park') return null;
  if (isPlatformError(error)) return error.code;
  // zod's errors are not all instances of Error.
  const invalid = typeof error === 'object' && error !== null && 'name' in error && error.name === 'ZodError';
  return invalid ? 'RECORD_INVALID' : 'INTERNAL';
};
