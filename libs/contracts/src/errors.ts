/**
 * Every failure that crosses a boundary of the platform has one of these codes. HTTP and consumer behaviour are tables over this
 * list, so a new code does not compile until both say what to do with it.
 */
export const ErrorCodes = [
  // the caller's fault
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'PAYLOAD_TOO_LARGE',
  'SIGNATURE_INVALID',
  'PRECONDITION_REQUIRED',
  'VERSION_CONFLICT',
  'IDEMPOTENCY_MISMATCH',
  'CAUSE_NOT_SEEN',
  'RATE_LIMITED',
  'CURSOR_GONE',
  // rules of the field
  'WINDOW_CLOSED',
  'WINDOW_NEVER_OPENED',
  'NOT_ASSIGNED',
  'CONVERSATION_CLOSED',
  'OFFER_GONE',
  'DISPOSITION_REQUIRED',
  'TEMPLATE_UNKNOWN',
  'TEMPLATE_INVALID',
  'AGENT_UNKNOWN',
  'PERIOD_CLOSED',
  'PERIOD_NOT_OVER',
  'REASON_REQUIRED',
  'ERASED',
  // records and stores
  'RECORD_INVALID',
  'EVENT_UNKNOWN',
  'CAUSE_MISSING',
  'STALE_EPOCH',
  'VERSION_REUSED',
  'LOG_BEHIND_STORE',
  'STORE_BEHIND_LOG',
  'KEY_UNAVAILABLE',
  'SUBJECT_CLOSING',
  'DECRYPTION_FAILED',
  'RECORD_TOO_LARGE',
  'TOPIC_UNKNOWN',
  'TOPIC_MISMATCH',
  'OFFSET_OUT_OF_RANGE',
  // passing trouble
  'LOG_UNAVAILABLE',
  'LOG_OVERLOADED',
  'DATABASE_UNAVAILABLE',
  'AUDIT_UNAVAILABLE',
  'UPSTREAM_UNAVAILABLE',
  'TIMEOUT',
  'DRAINING',
  // ours
  'CONFIGURATION_INVALID',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ErrorCodes)[number];

const retryable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CAUSE_NOT_SEEN',
  'RATE_LIMITED',
  'STALE_EPOCH',
  'KEY_UNAVAILABLE',
  'LOG_UNAVAILABLE',
  'LOG_OVERLOADED',
  'DATABASE_UNAVAILABLE',
  'AUDIT_UNAVAILABLE',
  'UPSTREAM_UNAVAILABLE',
  'TIMEOUT',
  'DRAINING',
]);

/**
 * The one error type of the platform. `details` go to clients and logs: they hold ids, names of fields and codes, never personal data.
 * Match on `code`, never on the message.
 */
export class PlatformError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'PlatformError';
    this.retryable = retryable.has(code);
  }
}

/** True for a PlatformError of any copy of this package, of one code when given. */
export const isPlatformError = (error: unknown, code?: ErrorCode): error is PlatformError =>
  error instanceof Error && error.name === 'PlatformError' && 'code' in error && (code === undefined || error.code === code);
