import kafkajs, { type Kafka, type LogEntry, type RetryOptions, type SASLOptions } from 'kafkajs';
import { PATIENCE, tell, type ClientOptions, type SaslOptions } from '../driver/options.js';
import type { LogLogger } from '../port.js';
import { repairKafkajs } from './internals.js';

export const patience = (options: Pick<ClientOptions, 'retries'>): RetryOptions => ({
  initialRetryTime: PATIENCE.firstMs,
  maxRetryTime: PATIENCE.mostMs,
  multiplier: 2,
  factor: 0.2,
  retries: options.retries ?? PATIENCE.tries,
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

/** kafkajs looks at what it is given at each sign-in, so a getter is enough to be asked again. */
export const saslOf = (sasl: SaslOptions): SASLOptions => {
  if (sasl.mechanism === 'oauthbearer')
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: tell(sasl.token) }) };
  const { mechanism, username, password } = sasl;
  return {
    mechanism,
    username,
    get password() {
      return tell(password);
    },
  };
};

/** One client per subscription and one for the rest: kafkajs shares committed offsets between the consumers of a client. */
export const openClient = (options: ClientOptions): Kafka => {
  repairKafkajs();
  const security = {
    ...(options.tls !== undefined && { ssl: options.tls }),
    ...(options.sasl && { sasl: saslOf(options.sasl) }),
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
