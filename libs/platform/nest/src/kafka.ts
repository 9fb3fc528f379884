import { readFileSync } from 'node:fs';
import { LogDrivers, type EventLogOptions } from '@centralita/event-log';
import { z } from 'zod';
import { envList } from './environment.js';

const file = (holds: string): z.ZodOptional<z.ZodString> => z.string().min(1).describe(holds).optional();

/** How a process reaches the brokers. Secrets are files where they can be: an environment is shown by too many tools. */
export const kafkaEnv = z.object({
  KAFKA_BROKERS: envList.describe('addresses of the brokers, with commas'),
  KAFKA_DRIVER: z
    .enum(LogDrivers)
    .default('kafkajs')
    .describe('client library that talks to the brokers; processes of one group may differ while they are replaced'),
  KAFKA_TLS: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: connections are encrypted and the brokers prove who they are; needed outside of a laptop'),
  KAFKA_TLS_CA_FILE: file('PEM file with the authorities that sign the brokers’ certificates; without it those that Node knows'),
  KAFKA_TLS_CERT_FILE: file('PEM file with the certificate by which this process proves who it is (mTLS)'),
  KAFKA_TLS_KEY_FILE: file('PEM file with the key of that certificate'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .describe('signs in by name and password: plain, scram-sha-256 or scram-sha-512')
    .optional(),
  KAFKA_SASL_USERNAME: z.string().min(1).describe('name of this process at the brokers').optional(),
  KAFKA_SASL_PASSWORD_FILE: file('file with the password; read once, at the start'),
  KAFKA_SASL_PASSWORD: z.string().min(1).describe('the password itself, where no file can be mounted').optional(),
});
type KafkaEnv = z.infer<typeof kafkaEnv>;
type Name = keyof KafkaEnv;

/** What `openEventLog` needs of the environment. */
export type KafkaConnection = Pick<EventLogOptions, 'driver' | 'brokers' | 'tls' | 'sasl'>;

const connectionOf = (env: KafkaEnv, refuse: (name: Name, message: string) => void): KafkaConnection => {
  const read = (name: Name): string | undefined => {
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
  const [ca, cert, key] = tlsFiles.map(read);
  // A file that is given and not used would look like security.
  if (env.KAFKA_TLS === 'false')
    for (const name of tlsFiles) if (env[name] !== undefined) refuse(name, 'is of no use while KAFKA_TLS is not true');
  together(['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'], 'with the other half of the pair');

  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: given } = env;
  together(['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME'], 'to sign in');
  if (given !== undefined && env.KAFKA_SASL_PASSWORD_FILE !== undefined)
    refuse('KAFKA_SASL_PASSWORD', 'is of no use beside KAFKA_SASL_PASSWORD_FILE');
  const password = given ?? read('KAFKA_SASL_PASSWORD_FILE')?.trimEnd();
  if (mechanism === undefined && (given ?? env.KAFKA_SASL_PASSWORD_FILE) !== undefined)
    refuse('KAFKA_SASL_MECHANISM', 'is required with a password');
  if (mechanism !== undefined && given === undefined && env.KAFKA_SASL_PASSWORD_FILE === undefined)
    refuse('KAFKA_SASL_PASSWORD_FILE', 'is required to sign in');
  // In clear the password would be anybody's who listens.
  if (mechanism === 'plain' && env.KAFKA_TLS === 'false') refuse('KAFKA_TLS', 'must be true with KAFKA_SASL_MECHANISM plain');

  return {
    driver: env.KAFKA_DRIVER,
    brokers: env.KAFKA_BROKERS,
    ...(env.KAFKA_TLS === 'true' && {
      tls: { ...(ca !== undefined && { ca: [ca] }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) },
    }),
    ...(mechanism && username !== undefined && password !== undefined && { sasl: { mechanism, username, password } }),
  };
};

/** Give it to `loadConfig` beside the service's own schema: what is wrong with it stands in the same one message. */
export const kafkaConnection: z.ZodType<KafkaConnection> = kafkaEnv.transform((env, context) => {
  const connection = connectionOf(env, (name, message) => {
    context.addIssue({ code: 'custom', path: [name], message });
  });
  return connection;
});
