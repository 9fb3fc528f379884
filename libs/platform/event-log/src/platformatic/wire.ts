import { isIP } from 'node:net';
import {
  AuthenticationError,
  ConnectionPool,
  parseBroker,
  SASLMechanisms,
  type API,
  type Broker,
  type ConnectionOptions,
} from '@platformatic/kafka';
import { refusesToken, tell, type ClientOptions, type SaslOptions } from '../driver/options.js';

const mechanisms = {
  plain: SASLMechanisms.PLAIN,
  'scram-sha-256': SASLMechanisms.SCRAM_SHA_256,
  'scram-sha-512': SASLMechanisms.SCRAM_SHA_512,
  oauthbearer: SASLMechanisms.OAUTHBEARER,
} as const;

const saslOf = (sasl: SaslOptions): NonNullable<ConnectionOptions['sasl']> =>
  sasl.mechanism === 'oauthbearer'
    ? {
        mechanism: mechanisms.oauthbearer,
        token: () => tell(sasl.token),
        authBytesValidator: (answer, done) =>
          refusesToken(answer) ? done(new AuthenticationError('the token is refused')) : done(null, answer),
      }
    : { mechanism: mechanisms[sasl.mechanism], username: sasl.username, password: () => tell(sasl.password) };

const CONNECT_MS = 3000;

/** `requestMs` is the longest wait for an answer: then the connection is given up, whatever else it carries. */
export const connectionOptions = (options: ClientOptions, requestMs: number): ConnectionOptions => ({
  connectTimeout: CONNECT_MS,
  requestTimeout: requestMs,
  ...(options.tls && { tls: options.tls === true ? {} : options.tls }),
  // TLS knows brokers by name; an address is no server name (RFC 6066).
  ...(options.tls && { tlsServerName: options.brokers.every((broker) => isIP(parseBroker(broker).host) === 0) }),
  ...(options.sasl && { sasl: saslOf(options.sasl) }),
});

/**
 * Connections to brokers, one to each. A broker answers the requests of a connection one after the other, so what waits long (a join,
 * a fetch at the end of a partition) has a wire of its own.
 */
export class Wire {
  readonly #pool: ConnectionPool;

  constructor(options: ClientOptions, requestMs: number) {
    this.#pool = new ConnectionPool(options.clientId, connectionOptions(options, requestMs));
    // The pool hears the first error of a connection only, and one that nobody hears ends the process.
    this.#pool.on('connecting', ({ connection }) => void connection.on('error', () => undefined));
  }

  async send<A extends unknown[], R>(broker: Broker, api: API<A, R>, ...args: A): Promise<R> {
    return api.async(await this.#pool.get(broker), ...args);
  }

  /** To the first of the brokers that can be reached. */
  async sendFirst<A extends unknown[], R>(brokers: readonly Broker[], api: API<A, R>, ...args: A): Promise<R> {
    return api.async(await this.#pool.getFirstAvailable([...brokers]), ...args);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
