import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.js';
import { kafkaConnection, kafkaEnv } from './kafka.js';

describe('settings of Kafka', () => {
  let folder: string;
  const files: Record<'ca' | 'cert' | 'key' | 'password', string> = { ca: '', cert: '', key: '', password: '' };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-kafka-'));
    for (const name of ['ca', 'cert', 'key', 'password'] as const) {
      files[name] = join(folder, name);
      await writeFile(files[name], `the ${name}\n`);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const KAFKA_BROKERS = 'one:9092,two:9092';
  const read = (env: Record<string, string>) => loadConfig({ KAFKA_BROKERS, ...env }, kafkaEnv, kafkaConnection)[1];
  const complaints = (env: Record<string, string>): string[] => {
    try {
      read(env);
    } catch (error) {
      return (error as Error).message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    }
    return [];
  };

  it('are brokers alone on a laptop', () => {
    expect(read({})).toEqual({ driver: 'kafkajs', brokers: ['one:9092', 'two:9092'] });
    expect(read({ KAFKA_DRIVER: 'platformatic' })).toMatchObject({ driver: 'platformatic' });
    expect(complaints({ KAFKA_DRIVER: 'librdkafka' })).toEqual(['KAFKA_DRIVER must be one of kafkajs, platformatic']);
  });

  it('read certificates and the password from files', () => {
    expect(
      read({
        KAFKA_TLS: 'true',
        KAFKA_TLS_CA_FILE: files.ca,
        KAFKA_TLS_CERT_FILE: files.cert,
        KAFKA_TLS_KEY_FILE: files.key,
        KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KAFKA_SASL_USERNAME: 'billing',
        KAFKA_SASL_PASSWORD_FILE: files.password,
      }),
    ).toEqual({
      driver: 'kafkajs',
      brokers: ['one:9092', 'two:9092'],
      tls: { ca: ['the ca\n'], cert: 'the cert\n', key: 'the key\n' },
      sasl: { mechanism: 'scram-sha-512', username: 'billing', password: expect.any(Function) },
    });
    expect(read({ KAFKA_TLS: 'true' })).toMatchObject({ tls: {} });
  });

  it('ask for the password or the token again at each sign-in', async () => {
    const secretOf = (env: Record<string, string>): (() => string) => {
      const { sasl } = read({ KAFKA_TLS: 'true', ...env });
      const secret = sasl?.mechanism === 'oauthbearer' ? sasl.token : sasl?.password;
      if (typeof secret !== 'function') throw new Error('it is not asked for again');
      return secret;
    };
    const path = join(folder, 'rotating');
    await writeFile(path, 'one\n');
    const token = secretOf({ KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_TOKEN_FILE: path });
    const password = secretOf({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'b', KAFKA_SASL_PASSWORD_FILE: path });
    expect([token(), password()]).toEqual(['one', 'one']);
    await writeFile(path, 'two\n');
    expect([token(), password()]).toEqual(['two', 'two']);
    await rm(path);
    expect(token).toThrow(expect.objectContaining({ code: 'LOG_UNAVAILABLE', message: 'KAFKA_SASL_TOKEN_FILE cannot be read' }));
  });

  it('refuse a token in clear, and names and passwords beside it', () => {
    expect(complaints({ KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_USERNAME: 'b', KAFKA_SASL_PASSWORD: 'hunter2' })).toEqual(
      [
        'KAFKA_SASL_PASSWORD is of no use with KAFKA_SASL_MECHANISM oauthbearer',
        'KAFKA_SASL_TOKEN_FILE is required to sign in',
        'KAFKA_SASL_USERNAME is of no use with KAFKA_SASL_MECHANISM oauthbearer',
        'KAFKA_TLS must be true with KAFKA_SASL_MECHANISM oauthbearer',
      ],
    );
    expect(complaints({ KAFKA_SASL_TOKEN_FILE: files.key })).toEqual([
      'KAFKA_SASL_TOKEN_FILE is of no use unless KAFKA_SASL_MECHANISM is oauthbearer',
    ]);
  });

  it('say everything that is wrong at once, and no secret', () => {
    const wrong = complaints({
      KAFKA_TLS_CA_FILE: join(folder, 'nowhere'),
      KAFKA_TLS_CERT_FILE: files.cert,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_PASSWORD: 'hunter2',
    });
    expect(wrong).toEqual([
      'KAFKA_SASL_USERNAME is required to sign in',
      'KAFKA_TLS must be true with KAFKA_SASL_MECHANISM plain',
      'KAFKA_TLS_CA_FILE cannot be read',
      'KAFKA_TLS_CA_FILE is of no use while KAFKA_TLS is not true',
      'KAFKA_TLS_CERT_FILE is of no use while KAFKA_TLS is not true',
      'KAFKA_TLS_KEY_FILE is required with the other half of the pair',
    ]);
    expect(complaints({ KAFKA_SASL_PASSWORD: 'hunter2' }).join()).toContain('KAFKA_SASL_MECHANISM is required with a password');
    expect(complaints({ KAFKA_TLS: 'yes' })).toEqual(['KAFKA_TLS must be one of true, false']);
  });
});
