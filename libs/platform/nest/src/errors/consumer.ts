import { isPlatformError, type ErrorCode } from '@centralita/contracts';

/**
 * What a consumer does with a failure of a handler.
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
  VERSION_CONFLICT: 'retry',
  IDEMPOTENCY_MISMATCH: 'park',
  CAUSE_NOT_SEEN: 'retry',
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

/** Total: what is not a PlatformError is a defect of a handler for one record, and parks it. */
export const consumerActionOf = (error: unknown): ConsumerAction =>
  isPlatformError(error) ? consumerActions[error.code] : 'park';
