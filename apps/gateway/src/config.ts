import { createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Uuid } from '@centralita/contracts';
import { envDatabase, envInteger, envList, envSecret, envUrl, platformEnv, serviceEnv } from '@centralita/platform-nest';
import { z } from 'zod';
import { readTargets } from './platform/targets.js';

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost']);
/** Plain http carries codes and cookies in clear: on this machine only. */
const safeUrl = envUrl('http', 'https').refine(
  (value) => !URL.canParse(value) || new URL(value).protocol === 'https:' || loopback.has(new URL(value).hostname),
  { message: 'must be https, except on this machine' },
);

const readable = <Output>(read: (path: string) => Output, expected: string): z.ZodType<Output> =>
  z.string().transform((path, context): Output => {
    try {
      return read(path);
    } catch {
      context.addIssue({ code: 'custom', message: `must name ${expected}` });
      return z.NEVER;
    }
  });

const signingKey = (path: string): KeyObject => {
  const key = createPrivateKey(readFileSync(path));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not Ed25519');
  return key;
};
const Tenants = z.array(z.object({ tenantId: Uuid, name: z.string().min(1) })).min(1);
const consoleFolder = (path: string): string => {
  if (!existsSync(join(path, 'index.html'))) throw new Error('no index.html');
  return path;
};

/** Settings of the gateway. It needs no log and no keyring: it holds sessions and nothing else. */
export const gatewayEnv = platformEnv.extend({
  DATABASE_URL: envDatabase.describe('application role of the sessions’ database'),
  DATABASE_POOL_SIZE: serviceEnv.shape.DATABASE_POOL_SIZE,
  PUBLIC_URL: safeUrl.describe('address under which browsers reach the gateway; cookies are Secure when it is https'),
  OIDC_ISSUER: safeUrl.describe('address of the identity provider; https, except on this machine'),
  OIDC_CLIENT_ID: z.string().min(1).describe('client id of the gateway at the provider'),
  OIDC_CLIENT_SECRET: envSecret(z.string().min(1)).optional().describe('public client with PKCE when there is none'),
  OIDC_SCOPE: z.string().default('openid profile').describe('scopes asked for at a login'),
  OIDC_REQUIRED_ACR: envList
    .optional()
    .describe(
      'with commas between: ways of signing in (`acr`) of which one is asked for and required, for example one with a second factor',
    ),
  OIDC_TENANT_CLAIM: z.string().default('tenant').describe('claim of the ID token with the tenant’s UUID'),
  OIDC_ROLES_CLAIM: z.string().default('roles').describe('claim with the list of roles'),
  OIDC_LABEL_CLAIM: z.string().default('label').describe('claim with the name to show'),
  GATEWAY_SIGNING_KEY_FILE: readable(signingKey, 'a file with an Ed25519 private key in PKCS#8 PEM').describe(
    'PEM file (PKCS8) with the Ed25519 key that signs the tokens for the services',
  ),
  SESSION_SECRET: envSecret(z.string().min(32, 'must have at least 32 characters')).describe(
    'keys the hashes of session ids and seals the login cookie; changing it ends all sessions',
  ),
  SESSION_HOURS: envInteger(1, 24).default(10).describe('a session ends so long after its login'),
  LOGIN_RATE_PER_MINUTE: envInteger(1, 10_000).default(60).describe('logins that one address may begin'),
  TRUSTED_PROXY_HOPS: envInteger(0, 10).default(0).describe('proxies in front whose X-Forwarded-For is believed'),
  CONSOLE_DIR: readable(consoleFolder, 'a folder with the built console (index.html)')
    .optional()
    .describe('folder with the built console; none is served without it'),
  TENANTS_FILE: readable(
    (path) => Tenants.parse(JSON.parse(readFileSync(path, 'utf8'))),
    'a JSON file [{ tenantId, name }]',
  ).describe('JSON file `[{ tenantId, name }]`: nobody of another tenant gets in'),
  CONVERSATION_URL: envUrl('http', 'https').describe('address of conversation'),
  ROUTING_URL: envUrl('http', 'https').describe('address of routing'),
  BILLING_URL: envUrl('http', 'https').describe('address of billing'),
  AUDIT_LOG_URL: envUrl('http', 'https').describe('address of audit-log'),
  INGEST_URL: envUrl('http', 'https').describe('the process of ingest that serves media and subjects'),
  PLATFORM_TARGETS_FILE: readable(readTargets, 'a JSON file [{ name, url, api? }] of processes and their operations ports')
    .optional()
    .describe(
      'JSON file `[{ name, url, api? }]`: operations ports whose figures the console shows to the platform team; without it the console says that they are in Grafana',
    ),
});
export type GatewayConfig = z.infer<typeof gatewayEnv>;
