import { isPlatformError, type ErrorCode } from '@centralita/contracts';
import { EXIT_REFUSED, EXIT_UNAVAILABLE, EXIT_USAGE } from '../io.js';

/** Exit codes of all commands, with what they mean. The reference page is made from this table. */
export const EXIT_CODES = {
  0: 'done; what was checked holds',
  1: 'it was found that something differs, is damaged or stays parked; the first lines say what and where',
  2: 'not in the state for it: not parked, not empty, not there, or somebody else was first',
  3: 'a file, a record or an answer is malformed',
  64: 'wrong usage',
  69: 'what the command needs cannot be reached or cannot do it now: nothing is said about what was to be checked',
  70: 'a bug of ours; standard error has the code',
  77: 'refused: no token, a wrong token, or no permission',
  78: 'the configuration is wrong; trying again does not help',
} as const;
export type ExitCode = keyof typeof EXIT_CODES;

export const DONE = 0;
export const DIFFERENT = 1;
export const NOT_NOW = 2;
export const MALFORMED = 3;
const EXIT_SOFTWARE = 70;
export const EXIT_CONFIGURATION = 78;

const byCode: Partial<Record<ErrorCode, ExitCode>> = {
  CONFIGURATION_INVALID: EXIT_CONFIGURATION,
  VALIDATION_FAILED: EXIT_USAGE,
  RECORD_INVALID: MALFORMED,
  SIGNATURE_INVALID: DIFFERENT,
  LOG_BEHIND_STORE: DIFFERENT,
  STORE_BEHIND_LOG: DIFFERENT,
  TOPIC_MISMATCH: DIFFERENT,
  OFFSET_OUT_OF_RANGE: DIFFERENT,
  DECRYPTION_FAILED: DIFFERENT,
  VERSION_CONFLICT: NOT_NOW,
  NOT_FOUND: NOT_NOW,
  FORBIDDEN: EXIT_REFUSED,
  UNAUTHENTICATED: EXIT_REFUSED,
  TOPIC_UNKNOWN: EXIT_UNAVAILABLE,
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** Errors of the system (`ECONNREFUSED`, `EACCES`) say that something is not there; of a database, class 28, that it lets nobody in. */
export const exitOf = (error: unknown): ExitCode => {
  if (isPlatformError(error)) return byCode[error.code] ?? (error.retryable ? EXIT_UNAVAILABLE : EXIT_SOFTWARE);
  const code = codeOf(error);
  if (/^28[0-9A-Z]{3}$/.test(code)) return EXIT_REFUSED;
  return /^E[A-Z]+$/.test(code) ? EXIT_UNAVAILABLE : EXIT_SOFTWARE;
};

/** One line without values: messages of foreign errors may quote what they failed on. */
export const messageOf = (error: unknown): string => {
  if (isPlatformError(error)) return error.message;
  return `failed: ${codeOf(error) || (error instanceof Error ? error.name : 'unknown')}`;
};
