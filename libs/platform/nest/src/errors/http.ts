import { STATUS_CODES } from 'node:http';
import type { ErrorCode, Problem } from '@centralita/contracts';

type HttpAnswer = { readonly status: number; readonly title: string };

/** What a client is told for each code. The compiler refuses a code that is not here. */
export const httpAnswers = {
  VALIDATION_FAILED: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'Sign in first' },
  FORBIDDEN: { status: 403, title: 'Not allowed for this role' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  SIGNATURE_INVALID: { status: 401, title: 'The signature does not match' },
  PRECONDITION_REQUIRED: { status: 428, title: 'If-Match is required' },
  VERSION_CONFLICT: { status: 412, title: 'It has changed in the meantime' },
  IDEMPOTENCY_MISMATCH: { status: 422, title: 'This idempotency key was used for another request' },
  CAUSE_NOT_SEEN: { status: 409, title: 'What the request follows from is not here yet' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  CURSOR_GONE: { status: 410, title: 'The place of this cursor is gone' },
  WINDOW_CLOSED: { status: 422, title: 'The customer service window is closed' },
  WINDOW_NEVER_OPENED: { status: 422, title: 'The customer has not written yet' },
  NOT_ASSIGNED: { status: 422, title: 'The conversation is not assigned to you' },
  CONVERSATION_CLOSED: { status: 422, title: 'The conversation is closed' },
  OFFER_GONE: { status: 410, title: 'The offer is gone' },
  DISPOSITION_REQUIRED: { status: 422, title: 'A disposition is required' },
  TEMPLATE_UNKNOWN: { status: 422, title: 'No such template' },
  TEMPLATE_INVALID: { status: 422, title: 'The template does not take these values' },
  AGENT_UNKNOWN: { status: 422, title: 'No such agent' },
  PERIOD_CLOSED: { status: 422, title: 'The period is closed' },
  PERIOD_NOT_OVER: { status: 422, title: 'The period is not over' },
  REASON_REQUIRED: { status: 422, title: 'A reason is required' },
  ERASED: { status: 410, title: 'It has been erased' },
  RECORD_INVALID: { status: 500, title: 'A stored record is not valid' },
  EVENT_UNKNOWN: { status: 500, title: 'A stored event is of an unknown type' },
  CAUSE_MISSING: { status: 500, title: 'A cause is missing' },
  STALE_EPOCH: { status: 409, title: 'Another writer has taken over' },
  VERSION_REUSED: { status: 500, title: 'A version was used twice' },
  LOG_BEHIND_STORE: { status: 500, title: 'The log is behind the store' },
  STORE_BEHIND_LOG: { status: 500, title: 'The store is behind the log' },
  KEY_UNAVAILABLE: { status: 503, title: 'A data key is not available' },
  SUBJECT_CLOSING: { status: 409, title: 'The customer is being erased' },
  DECRYPTION_FAILED: { status: 500, title: 'A stored value could not be opened' },
  RECORD_TOO_LARGE: { status: 413, title: 'The record is too large' },
  TOPIC_UNKNOWN: { status: 500, title: 'A topic is missing' },
  TOPIC_MISMATCH: { status: 500, title: 'A topic has another shape' },
  OFFSET_OUT_OF_RANGE: { status: 500, title: 'A position is not on the log' },
  LOG_UNAVAILABLE: { status: 503, title: 'The log is not available' },
  LOG_OVERLOADED: { status: 503, title: 'The log is overloaded' },
  DATABASE_UNAVAILABLE: { status: 503, title: 'The database is not available' },
  AUDIT_UNAVAILABLE: { status: 503, title: 'The access could not be recorded' },
  UPSTREAM_UNAVAILABLE: { status: 502, title: 'A service behind this one is not available' },
  TIMEOUT: { status: 504, title: 'It took too long' },
  DRAINING: { status: 503, title: 'This instance is shutting down' },
  CONFIGURATION_INVALID: { status: 500, title: 'The service is not configured' },
  INTERNAL: { status: 500, title: 'An unexpected failure on our side' },
} as const satisfies Record<ErrorCode, HttpAnswer>;

/** `urn:centralita:problem:audit-unavailable` for `AUDIT_UNAVAILABLE`. */
export const problemType = (code: ErrorCode): string => `urn:centralita:problem:${code.toLowerCase().replaceAll('_', '-')}`;

/** Codes for statuses that the HTTP layer itself answers with (no route, unreadable body, body too large). */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_FAILED',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'NOT_FOUND',
  408: 'TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'VALIDATION_FAILED',
  429: 'RATE_LIMITED',
  503: 'DRAINING',
};

/** Total: every status has a code. */
export const codeForStatus = (status: number): ErrorCode =>
  codeOfStatus[status] ?? (status >= 400 && status < 500 ? 'VALIDATION_FAILED' : 'INTERNAL');

type ProblemFacts = {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly instance?: string;
  readonly traceId?: string;
};

const fieldErrors = (details: ProblemFacts['details']): Problem['errors'] =>
  Array.isArray(details?.errors) ? (details.errors as NonNullable<Problem['errors']>) : undefined;

/**
 * The RFC 9457 document of a failure. What is our own fault (5xx that is not a passing trouble) tells nothing but its code: the rest
 * is in the log, found by `instance` and `traceId`.
 */
export const problemOf = (facts: ProblemFacts): Problem => {
  const answer = httpAnswers[facts.code];
  const ours = answer.status === 500;
  const errors = fieldErrors(facts.details);
  const details = Object.fromEntries(Object.entries(facts.details ?? {}).filter(([name]) => name !== 'errors'));
  return {
    type: problemType(facts.code),
    title: answer.title,
    status: answer.status,
    code: facts.code,
    detail: ours ? (STATUS_CODES[500] ?? 'Internal Server Error') : facts.detail,
    retryable: facts.retryable,
    ...(facts.instance ? { instance: facts.instance } : {}),
    ...(facts.traceId ? { traceId: facts.traceId } : {}),
    ...(!ours && Object.keys(details).length > 0 ? { details } : {}),
    ...(errors ? { errors } : {}),
  };
};
