import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@centralita/contracts';
import { createLogger, runMigrations } from '@centralita/platform-nest';
import { createTestDatabase, freePort, until, type TestDatabase } from '@centralita/testing-engines';
import { gatewayMigrations, startGateway, type RunningGateway } from '../gateway.js';
import { startTestIdentity, TestBrowser } from './identity.spec.js';
import { documents, TestUpstream } from './upstreams.spec.js';

export type Harness = {
  readonly url: string;
  readonly database: TestDatabase;
  readonly identity: Awaited<ReturnType<typeof startTestIdentity>>;
  readonly upstreams: Record<keyof typeof documents, TestUpstream>;
  readonly upstreamUrls: Record<keyof typeof documents, string>;
  readonly gateway: RunningGateway;
  /** Everything that was logged. */
  readonly logged: Record<string, unknown>[];
  readonly tenants: readonly { readonly tenantId: string; readonly name: string }[];
  /** A browser that has signed in. */
  signIn(person: {
    readonly sub: string;
    readonly roles: readonly Role[];
    readonly tenant?: string;
    readonly label?: string;
  }): Promise<TestBrowser>;
  stop(): Promise<void>;
};

/** The gateway in front of a real provider, a real database and services that a spec plays. */
export const startHarness = async (env: Readonly<Record<string, string>> = {}): Promise<Harness> => {
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
  try {
    return await build(env, cleanups, stop);
  } catch (error) {
    // A start that failed half way must not keep the test runner alive.
    await stop();
    throw error;
  }
};

const build = async (
  env: Readonly<Record<string, string>>,
  cleanups: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Harness> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const database = await createTestDatabase({ service: 'gateway' });
  cleanups.push(() => database.drop());
  const identity = await startTestIdentity(`${url}/auth/callback`);
  cleanups.push(() => identity.stop());
  await runMigrations({ url: database.ownerUrl, migrations: gatewayMigrations });
  const tenants = [
    { tenantId: '0197b2a0-0000-7000-8000-00000000000a', name: 'Tenant A' },
    { tenantId: '0197b2a0-0000-7000-8000-00000000000b', name: 'Tenant B' },
  ];
  await mkdir(join(folder, 'console', 'assets'), { recursive: true });
  await Promise.all([
    writeFile(join(folder, 'key.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
    writeFile(join(folder, 'tenants.json'), JSON.stringify(tenants)),
    writeFile(join(folder, 'console', 'index.html'), '<!doctype html><title>Centralita</title>'),
    writeFile(join(folder, 'console', 'assets', 'app-1a2b3c.js'), 'export {}'),
  ]);
  const upstreams = {
    conversation: new TestUpstream(documents.conversation),
    routing: new TestUpstream(documents.routing),
    billing: new TestUpstream(documents.billing),
    'audit-log': new TestUpstream(documents['audit-log']),
    ingest: new TestUpstream(documents.ingest),
  };
  cleanups.push(() => Promise.all(Object.values(upstreams).map((upstream) => upstream.stop())));
  const upstreamUrls = {
    conversation: await upstreams.conversation.start(),
    routing: await upstreams.routing.start(),
    billing: await upstreams.billing.start(),
    'audit-log': await upstreams['audit-log'].start(),
    ingest: await upstreams.ingest.start(),
  };
  const lines: Record<string, unknown>[] = [];
  const gateway = await startGateway(
    {
      HTTP_PORT: String(port),
      DATABASE_URL: database.appUrl,
      PUBLIC_URL: url,
      OIDC_ISSUER: identity.issuer,
      OIDC_CLIENT_ID: 'centralita',
      OIDC_CLIENT_SECRET: 'secret-of-the-client',
      GATEWAY_SIGNING_KEY_FILE: join(folder, 'key.pem'),
      SESSION_SECRET: 'a secret of at least thirty-two characters',
      TENANTS_FILE: join(folder, 'tenants.json'),
      CONSOLE_DIR: join(folder, 'console'),
      CONVERSATION_URL: upstreamUrls.conversation,
      ROUTING_URL: upstreamUrls.routing,
      BILLING_URL: upstreamUrls.billing,
      AUDIT_LOG_URL: upstreamUrls['audit-log'],
      INGEST_URL: upstreamUrls.ingest,
      ...env,
    },
    {
      logger: createLogger({
        service: 'gateway',
        destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
      }),
    },
  );
  cleanups.push(() => gateway.drain.drain('test'));
  // With an identity provider of its own, a spec waits for itself.
  if (!env.OIDC_ISSUER) await until(async () => (await gateway.health.ready()).status === 'ok');
  return {
    url,
    database,
    identity,
    upstreams,
    upstreamUrls,
    gateway,
    logged: lines,
    tenants,
    signIn: async ({ sub, roles, tenant = tenants[0]?.tenantId, label = 'Agent 1' }) => {
      identity.next({ sub, claims: { roles, tenant, label } });
      const browser = new TestBrowser();
      const { response } = await browser.follow(`${url}/auth/login?returnTo=/inbox`);
      if (response.status !== 200) throw new Error(`sign-in ended with ${response.status}: ${await response.text()}`);
      return browser;
    },
    stop,
  };
};

/** Headers that our own page sends. */
export const ownPage = { 'x-centralita': '1' } as const;
