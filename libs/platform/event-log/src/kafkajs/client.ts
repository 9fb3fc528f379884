import kafkajs, { type Kafka, type LogEntry, type RetryOptions, type Mechanism, type SASLOptions } from 'kafkajs';
import { PATIENCE, refusesToken, tell, type ClientOptions, type SaslOptions, type Secret } from '../driver/options.js';
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

/** Bytes with their length in front, as the protocol writes them. */
const framed = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

// Its types forget the message.
const RefusedToken = kafkajs.KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error;

/** Its own way to present a token does not look at the answer: a token that is refused would look like a broker that hangs up. */
const bearer = (token: Secret): Mechanism => ({
  mechanism: 'oauthbearer',
  authenticationProvider: ({ saslAuthenticate }) => ({
    authenticate: async () => {
      await saslAuthenticate({
        request: { encode: () => framed(`n,,\u0001auth=Bearer ${tell(token)}\u0001\u0001`) },
        response: {
          decode: (answer: Buffer) => answer,
          parse: (answer: Buffer) => {
            if (refusesToken(answer)) throw new RefusedToken('the token is refused');
          },
        },
      });
    },
  }),
});

/** kafkajs looks at what it is given at each sign-in, so a getter is enough to be asked again. */
export const saslOf = (sasl: SaslOptions): SASLOptions | Mechanism => {
  if (sasl.mechanism === 'oauthbearer') return bearer(sasl.token);
  const { mechanism, username, password } = sasl;
  return {
    mechanism,
    username,
    get password() {
      return tell(password);
    },
  } as SASLOptions;
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
