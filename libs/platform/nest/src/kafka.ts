import { readFileSync } from 'node:fs';
import { PlatformError } from '@centralita/contracts';
import { LogDrivers, type EventLogOptions, type SaslOptions } from '@centralita/event-log';
import { z } from 'zod';
import { envInteger, envList } from './environment.js';
import { tlsFrom, type TlsFiles } from './tls-files.js';

const file = (holds: string): z.ZodOptional<z.ZodString> => z.string().min(1).describe(holds).optional();

/** How a process reaches the brokers. Secrets are files where they can be: an environment is shown by too many tools. */
export const kafkaEnv = z.object({
  KAFKA_BROKERS: envList.describe('addresses of the brokers, with commas'),
  KAFKA_DRIVER: z
    .enum(LogDrivers)
    .default('kafkajs')
    .describe('client library that talks to the brokers; processes of one group may differ while they are replaced'),
  KAFKA_TOPIC_PARTITIONS: envInteger(1, 10_000)
    .describe('partitions that each topic was made with at installation; without it they must agree with each other')
    .optional(),
  KAFKA_TLS: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: connections are encrypted and the brokers prove who they are; needed outside of a laptop'),
  KAFKA_TLS_CA_FILE: file(
    'PEM file with the authorities that sign the brokers’ certificates; without it those that Node knows. Read again for each connection, like the next two',
  ),
  KAFKA_TLS_CERT_FILE: file('PEM file with the certificate by which this process proves who it is (mTLS)'),
  KAFKA_TLS_KEY_FILE: file('PEM file with the key of that certificate'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'])
    .describe('signs in by name and password (plain, scram-sha-256 or scram-sha-512) or by a token (oauthbearer)')
    .optional(),
  KAFKA_SASL_USERNAME: z.string().min(1).describe('name of this process at the brokers').optional(),
  KAFKA_SASL_PASSWORD_FILE: file('file with the password; read again at each connection'),
  KAFKA_SASL_PASSWORD: z.string().min(1).describe('the password itself, where no file can be mounted').optional(),
  KAFKA_SASL_TOKEN_FILE: file(
    'file with the token of oauthbearer, for example a projected service-account token; read again at each connection, so whoever renews it needs no restart',
  ),
});
type KafkaEnv = z.infer<typeof kafkaEnv>;
type Name = keyof KafkaEnv;

/** What `openEventLog` needs of the environment. */
export type KafkaConnection = Pick<EventLogOptions, 'driver' | 'brokers' | 'tls' | 'sasl'> & {
  /** That topics were made with, when it was said. */
  readonly topicPartitions?: number;
};

const tlsFilesOf = ({ KAFKA_TLS_CA_FILE: ca, KAFKA_TLS_CERT_FILE: cert, KAFKA_TLS_KEY_FILE: key }: KafkaEnv): TlsFiles => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
});

const connectionOf = (env: KafkaEnv, refuse: (name: Name, message: string) => void): KafkaConnection => {
  const read: Read = (name) => {
    const path = env[name];
    if (typeof path !== 'string') return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch {
      refuse(name, 'cannot be read');
      return undefined;
    }
  };
  const together = (names: readonly Name[], why: string): void => {
    if (names.some((name) => env[name] !== undefined))
      for (const name of names) if (env[name] === undefined) refuse(name, `is required ${why}`);
  };
  const tlsFiles = ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'] as const;
  const readable = tlsFiles
    .map(read)
    .every((contents, index) => (contents === undefined) === (env[tlsFiles[index] as Name] === undefined));
  // A file that is given and not used would look like security.
  if (env.KAFKA_TLS === 'false')
    for (const name of tlsFiles) if (env[name] !== undefined) refuse(name, 'is of no use while KAFKA_TLS is not true');
  together(['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'], 'with the other half of the pair');

  const sasl = saslOf(env, refuse, together, read);
  return {
    driver: env.KAFKA_DRIVER,
    brokers: env.KAFKA_BROKERS,
    ...(env.KAFKA_TLS === 'true' && {
      tls: readable ? tlsFrom(tlsFilesOf(env)) : {},
    }),
    ...(sasl !== null && { sasl }),
    ...(env.KAFKA_TOPIC_PARTITIONS !== undefined && { topicPartitions: env.KAFKA_TOPIC_PARTITIONS }),
  };
};

type Read = (name: Name) => string | undefined;

/** How to read a secret when it is asked for: while it is replaced its file may be away, and is there at the next try. */
const rereadable = (name: Name, path: string) => (): string => {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    throw new PlatformError('LOG_UNAVAILABLE', `${name} cannot be read`);
  }
};

const saslOf = (
  env: KafkaEnv,
  refuse: (name: Name, message: string) => void,
  together: (names: readonly Name[], why: string) => void,
  read: Read,
): SaslOptions | null => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: given } = env;
  const { KAFKA_SASL_PASSWORD_FILE: passwordFile, KAFKA_SASL_TOKEN_FILE: tokenFile } = env;
  // In clear the password or token would be anybody's who listens.
  if ((mechanism === 'plain' || mechanism === 'oauthbearer') && env.KAFKA_TLS === 'false')
    refuse('KAFKA_TLS', `must be true with KAFKA_SASL_MECHANISM ${mechanism}`);
  if (mechanism === 'oauthbearer') {
    for (const name of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE'] as const)
      if (env[name] !== undefined) refuse(name, 'is of no use with KAFKA_SASL_MECHANISM oauthbearer');
    if (tokenFile === undefined) refuse('KAFKA_SASL_TOKEN_FILE', 'is required to sign in');
    if (tokenFile === undefined || read('KAFKA_SASL_TOKEN_FILE') === undefined) return null;
    return { mechanism, token: rereadable('KAFKA_SASL_TOKEN_FILE', tokenFile) };
  }
  if (tokenFile !== undefined) refuse('KAFKA_SASL_TOKEN_FILE', 'is of no use unless KAFKA_SASL_MECHANISM is oauthbearer');
  together(['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME'], 'to sign in');
  if (given !== undefined && passwordFile !== undefined)
    refuse('KAFKA_SASL_PASSWORD', 'is of no use beside KAFKA_SASL_PASSWORD_FILE');
  if (mechanism === undefined && (given ?? passwordFile) !== undefined)
    refuse('KAFKA_SASL_MECHANISM', 'is required with a password');
  if (mechanism !== undefined && given === undefined && passwordFile === undefined)
    refuse('KAFKA_SASL_PASSWORD_FILE', 'is required to sign in');
  if (passwordFile !== undefined) read('KAFKA_SASL_PASSWORD_FILE');
  const password = given ?? (passwordFile === undefined ? undefined : rereadable('KAFKA_SASL_PASSWORD_FILE', passwordFile));
  return mechanism && username !== undefined && password !== undefined ? { mechanism, username, password } : null;
};

/** Give it to `loadConfig` beside the service's own schema: what is wrong with it stands in the same one message. */
export const kafkaConnection: z.ZodType<KafkaConnection> = kafkaEnv.transform((env, context) => {
  const connection = connectionOf(env, (name, message) => {
    context.addIssue({ code: 'custom', path: [name], message });
  });
  return connection;
});
