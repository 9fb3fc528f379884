import { types } from 'node:util';
import { isPlatformError, PlatformError, type ErrorCode } from '@centralita/contracts';

const { isNativeError } = types;

/** Codes of the Kafka protocol that mean more than "the log is not there right now". */
const codes: Readonly<Record<number, ErrorCode>> = {
  1: 'OFFSET_OUT_OF_RANGE',
  3: 'TOPIC_UNKNOWN',
  10: 'RECORD_TOO_LARGE',
  17: 'TOPIC_UNKNOWN',
  18: 'RECORD_TOO_LARGE',
  24: 'CONFIGURATION_INVALID',
  26: 'CONFIGURATION_INVALID',
  29: 'CONFIGURATION_INVALID',
  30: 'CONFIGURATION_INVALID',
  31: 'CONFIGURATION_INVALID',
  33: 'CONFIGURATION_INVALID',
  37: 'CONFIGURATION_INVALID',
  38: 'CONFIGURATION_INVALID',
  40: 'CONFIGURATION_INVALID',
  58: 'CONFIGURATION_INVALID',
  100: 'TOPIC_UNKNOWN',
  103: 'TOPIC_UNKNOWN',
};

/** OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, PRODUCER_FENCED. */
const producerLost: ReadonlySet<number> = new Set([45, 46, 47, 59, 90]);

/** The cause, then one error for each topic, partition or try: the last of them is the present state. */
const causesOf = (error: Error): unknown[] => [
  error.cause,
  ...('errors' in error && Array.isArray(error.errors) ? (error.errors as unknown[]).toReversed() : []),
];

/** Code of the Kafka protocol of an error or of what caused it. Total: an error without one gives undefined. */
export const protocolCodeOf = (error: unknown, depth = 0): number | undefined => {
  if (!isNativeError(error) || depth > 8) return undefined;
  // kafkajs has it in `code`, @platformatic/kafka in `apiCode`.
  for (const code of ['code' in error && error.code, 'apiCode' in error && error.apiCode])
    if (typeof code === 'number') return code;
  for (const each of causesOf(error)) {
    const code = protocolCodeOf(each, depth + 1);
    if (code !== undefined) return code;
  }
  return undefined;
};

/** True when the broker has forgotten or fenced the producer: a new one must take over, the old one would fail for ever. */
export const isProducerLost = (error: unknown): boolean => producerLost.has(protocolCodeOf(error) ?? 0);

/** What the operating system said, below whatever a client has wrapped around it. */
const errnoOf = (error: unknown, depth = 0): string | undefined => {
  if (!isNativeError(error) || depth > 8) return undefined;
  if ('code' in error && typeof error.code === 'string' && !error.code.startsWith('PLT_KFK')) return error.code;
  for (const each of causesOf(error)) {
    const errno = errnoOf(each, depth + 1);
    if (errno !== undefined) return errno;
  }
  return undefined;
};

/** The brokers know neither name nor password; both clients hide the code of the protocol then. */
const isRefusedLogin = (error: unknown, depth = 0): boolean =>
  isNativeError(error) &&
  depth <= 8 &&
  (nameOf(error) === 'KafkaJSSASLAuthenticationError' ||
    nameOf(error) === 'PLT_KFK_AUTHENTICATION' ||
    causesOf(error).some((cause) => isRefusedLogin(cause, depth + 1)));

/** kafkajs names its errors, @platformatic/kafka calls all of them Error and has codes. */
const nameOf = (error: unknown): string => {
  if (!isNativeError(error)) return 'unknown';
  if ('apiId' in error && typeof error.apiId === 'string') return error.apiId;
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('PLT_KFK') ? error.code : error.name;
};

/** Every failure of the driver as a PlatformError; what is not known to be permanent is LOG_UNAVAILABLE, which is retryable. */
export const toPlatformError = (error: unknown, what: string): PlatformError => {
  if (isPlatformError(error)) return error;
  const protocolCode = protocolCodeOf(error);
  const refused = isRefusedLogin(error) ? 'CONFIGURATION_INVALID' : 'LOG_UNAVAILABLE';
  const code = (protocolCode !== undefined && codes[protocolCode]) || refused;
  const failure = nameOf(error);
  const errno = errnoOf(error);
  return new PlatformError(
    code,
    `${what}: ${failure}`,
    { failure, ...(protocolCode !== undefined && { protocolCode }), ...(errno !== undefined && { errno }) },
    { cause: error },
  );
};
