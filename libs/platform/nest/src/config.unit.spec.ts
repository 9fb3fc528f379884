import { describe, expect, it } from '@jest/globals';
import { isPlatformError, type PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { loadConfig, serviceEnv } from './config.js';

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
