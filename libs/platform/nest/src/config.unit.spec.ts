import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isPlatformError, type PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { loadConfig, serviceEnv } from './config.js';
import { envSecret } from './environment.js';

const good = {
  KAFKA_BROKERS: '127.0.0.1:9092, 127.0.0.1:9093',
  DATABASE_URL: 'postgres://app:hunter2@127.0.0.1/x',
  GATEWAY_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
};
const failure = (env: Record<string, string>, ...schemas: z.ZodType[]): PlatformError => {
  try {
    loadConfig(env, serviceEnv, ...schemas);
  } catch (error) {
    if (isPlatformError(error, 'CONFIGURATION_INVALID')) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

describe('loadConfig', () => {
  it('gives typed values and defaults', () => {
    const [config] = loadConfig(good, serviceEnv);
    expect(config.KAFKA_BROKERS).toEqual(['127.0.0.1:9092', '127.0.0.1:9093']);
    expect([config.HTTP_PORT, config.LOG_LEVEL, config.DATABASE_POOL_SIZE]).toEqual([0, 'info', 10]);
  });

  it('takes an empty value for an unset one', () => {
    expect(loadConfig({ ...good, OTEL_EXPORTER_OTLP_ENDPOINT: '' }, serviceEnv)[0].OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined();
  });

  it('lists everything wrong in one message, of the platform and of the service, by name', () => {
    const own = z.object({ MEDIA_DIR: z.string(), MODE: z.enum(['a', 'b']) });
    const error = failure({ HTTP_PORT: '70000', KAFKA_BROKERS: ',', DATABASE_URL: 'mysql://x', MODE: 'c' }, own);
    expect(error.details.names).toEqual(['DATABASE_URL', 'GATEWAY_JWKS_URL', 'HTTP_PORT', 'KAFKA_BROKERS', 'MEDIA_DIR', 'MODE']);
    expect(error.message).toContain('  GATEWAY_JWKS_URL is required');
    expect(error.message).toContain('  HTTP_PORT must be 0 to 65535');
    expect(error.message).toContain('  MODE must be one of a, b');
  });

  it('never repeats a value: it may be a secret', () => {
    const secret = 'c2VjcmV0LWNhbmFyeS12YWx1ZQ==';
    const error = failure({ ...good, KEYRING_MASTER_KEY: secret, DATABASE_URL: `mysql://u:${secret}@h/x`, LOG_LEVEL: secret });
    expect(error.details.names).toEqual(['DATABASE_URL', 'KEYRING_MASTER_KEY', 'LOG_LEVEL']);
    expect(`${error.message}${JSON.stringify(error.details)}${error.stack ?? ''}`).not.toContain(secret);
  });
});

describe('secrets in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'centralita-secrets-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, contents: string): string => {
    const path = join(folder, name);
    writeFileSync(path, contents);
    return path;
  };
  const key = Buffer.alloc(32, 7).toString('base64');

  it('stand for the setting, without the new line at their end', () => {
    const own = z.object({ TOKEN: envSecret(z.string()).optional(), LOG_FILE: z.string().optional() });
    const env = {
      KEYRING_MASTER_KEY_FILE: file('key', `${key}\n`),
      TOKEN_FILE: file('token', ' a b \r\n'),
      OTEL_EXPORTER_OTLP_HEADERS_FILE: file('headers', 'authorization=Bearer%20x,team=a'),
      LOG_FILE: '/not/a/secret',
    };
    const [platform, service] = loadConfig({ ...good, ...env }, serviceEnv, own);
    expect(platform.KEYRING_MASTER_KEY).toEqual(Buffer.alloc(32, 7));
    expect(platform.OTEL_EXPORTER_OTLP_HEADERS).toEqual({ authorization: 'Bearer x', team: 'a' });
    expect(service).toEqual({ TOKEN: ' a b ', LOG_FILE: '/not/a/secret' });
  });

  it('are refused beside the setting, and when they cannot be read, by name alone', () => {
    const own = z.object({ TOKEN: envSecret(z.string()), SECRET: envSecret(z.string()) });
    const error = failure(
      { ...good, KEYRING_MASTER_KEY: key, KEYRING_MASTER_KEY_FILE: file('other', key), TOKEN_FILE: join(folder, 'nowhere') },
      own,
    );
    expect(error.message.split('\n').slice(1)).toEqual([
      '  KEYRING_MASTER_KEY is of no use beside KEYRING_MASTER_KEY_FILE',
      '  SECRET is required, or SECRET_FILE',
      '  TOKEN_FILE cannot be read',
    ]);
    expect(error.message).not.toContain(key);
    const wrong = failure({ ...good, KEYRING_MASTER_KEY_FILE: file('short', 'hunter2') });
    expect(wrong.message).toContain('  KEYRING_MASTER_KEY must be 32 bytes in base64');
    expect(wrong.message).not.toContain('hunter2');
  });

  it('name who signs in to a database', () => {
    file('username', 'app');
    const bare = { ...good, DATABASE_URL: 'postgres://db.example:5433/x?sslmode=verify-full', DATABASE_CREDENTIALS_DIR: folder };
    expect(failure(bare).message).toContain('  DATABASE_CREDENTIALS_DIR must name a folder with the file password');
    file('password', 'hunter2');
    const url = new URL(loadConfig(bare, serviceEnv)[0].DATABASE_URL);
    expect([url.host, url.searchParams.get('sslmode'), url.searchParams.get('credentials_dir')]).toEqual([
      'db.example:5433',
      'verify-full',
      folder,
    ]);
    expect(url.href).not.toContain('hunter2');
    // also where a schema demands what another leaves open
    const demanded = serviceEnv.pick({ KEYRING_DATABASE_URL: true }).required();
    const [keyring] = loadConfig(
      { KEYRING_DATABASE_URL: 'postgres://keys.example/k', KEYRING_DATABASE_CREDENTIALS_DIR: folder },
      demanded,
    );
    expect(new URL(keyring.KEYRING_DATABASE_URL).searchParams.get('credentials_dir')).toBe(folder);
    const both = failure({ ...good, DATABASE_CREDENTIALS_DIR: folder });
    expect(both.message).toContain('DATABASE_CREDENTIALS_DIR is of no use beside a name or password in DATABASE_URL');
    expect(both.message).not.toContain('hunter2');
  });
});
