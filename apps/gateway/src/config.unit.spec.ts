import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { loadConfig } from '@centralita/platform-nest';
import { gatewayEnv } from './config.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const pem = (type: 'ed25519' | 'rsa'): string =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
const good = {
  DATABASE_URL: 'postgres://app:x@127.0.0.1/gateway',
  PUBLIC_URL: 'http://127.0.0.1:8080',
  OIDC_ISSUER: 'https://login.example.com',
  OIDC_CLIENT_ID: 'centralita',
  GATEWAY_SIGNING_KEY_FILE: file('key.pem', pem('ed25519')),
  SESSION_SECRET: 'x'.repeat(32),
  TENANTS_FILE: file('tenants.json', '[{"tenantId":"0197b2a0-0000-7000-8000-00000000000a","name":"A"}]'),
  CONVERSATION_URL: 'http://127.0.0.1:1',
  ROUTING_URL: 'http://127.0.0.1:2',
  BILLING_URL: 'http://127.0.0.1:3',
  AUDIT_LOG_URL: 'http://127.0.0.1:4',
  INGEST_URL: 'http://127.0.0.1:5',
};
const wrong = (env: Record<string, string>): unknown => {
  try {
    loadConfig({ ...good, ...env }, gatewayEnv);
    return [];
  } catch (error) {
    if (isPlatformError(error, 'CONFIGURATION_INVALID')) return error.details.names;
    throw error;
  }
};

describe('gatewayEnv', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads its files', () => {
    const [config] = loadConfig(good, gatewayEnv);
    expect([config.GATEWAY_SIGNING_KEY_FILE.asymmetricKeyType, config.TENANTS_FILE[0]?.name]).toEqual(['ed25519', 'A']);
  });

  it('refuses keys of another kind, files that are not there and folders without a console', () => {
    expect(wrong({})).toEqual([]);
    expect(
      wrong({
        GATEWAY_SIGNING_KEY_FILE: file('rsa.pem', pem('rsa')),
        TENANTS_FILE: file('empty.json', '[]'),
        CONSOLE_DIR: folder,
        SESSION_SECRET: 'short',
      }),
    ).toEqual(['CONSOLE_DIR', 'GATEWAY_SIGNING_KEY_FILE', 'SESSION_SECRET', 'TENANTS_FILE']);
    expect(wrong({ GATEWAY_SIGNING_KEY_FILE: join(folder, 'none') })).toEqual(['GATEWAY_SIGNING_KEY_FILE']);
  });

  it('carries codes and cookies over plain http on this machine only', () => {
    expect(wrong({ PUBLIC_URL: 'http://example.com', OIDC_ISSUER: 'http://login.example.com' })).toEqual([
      'OIDC_ISSUER',
      'PUBLIC_URL',
    ]);
    expect(wrong({ PUBLIC_URL: 'https://example.com', OIDC_ISSUER: 'http://localhost:1' })).toEqual([]);
  });
});
