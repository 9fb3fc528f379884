import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type RetryOptions } from 'kafkajs';
import type { LogLogger } from '../port.js';
import { repairKafkajs } from './internals.js';

export type SaslOptions = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
};

export type ClientOptions = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: boolean | ConnectionOptions;
  readonly sasl?: SaslOptions;
  /** Tries before an operation gives up with LOG_UNAVAILABLE. @default 45, about 40 s */
  readonly retries?: number;
  readonly logger: LogLogger;
};

/**
 * About 40 s, long enough for a broker to restart (its old registration alone takes 9 s to expire), in steps that are short enough
 * to notice its return.
 */
export const patience = (options: Pick<ClientOptions, 'retries'>): RetryOptions => ({
  initialRetryTime: 50,
  maxRetryTime: 1000,
  multiplier: 2,
  factor: 0.2,
  retries: options.retries ?? 45,
});

/** States that pass by themselves and that kafkajs calls errors. */
const passing =
  /coordinator is loading|rebalanc|ECONNREFUSED|ECONNRESET|leadership election|not the leader|does not host|Closed connection/i;

/** kafkajs logs normal life at ERROR: nothing of it reaches ours above warn. */
export const logCreator =
  (logger: LogLogger) =>
  () =>
  ({ namespace, level, log }: LogEntry): void => {
    const details = {
      component: namespace,
      detail: log.message,
      ...(typeof log['error'] === 'string' && { error: log['error'] }),
    };
    const text = `${log.message} ${typeof log['error'] === 'string' ? log['error'] : ''}`;
    if (level === kafkajs.logLevel.ERROR && !passing.test(text)) logger.warn(details, 'kafka client');
    else logger.debug(details, 'kafka client');
  };

/** One client per subscription and one for the rest: kafkajs shares committed offsets between the consumers of a client. */
export const openClient = (options: ClientOptions): Kafka => {
  repairKafkajs();
  const security = {
    ...(options.tls !== undefined && { ssl: options.tls }),
    ...(options.sasl && { sasl: options.sasl as NonNullable<KafkaConfig['sasl']> }),
  };
  return new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry: patience(options),
    logLevel: kafkajs.logLevel.INFO,
    logCreator: logCreator(options.logger),
    ...security,
  });
};
