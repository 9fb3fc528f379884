import { randomBytes, randomUUID } from 'node:crypto';
import type { Role, Service } from '@centralita/contracts';
import { createMemoryLog, type EventLog } from '@centralita/event-log';
import { keyringMigrations } from '@centralita/keyring';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTVerifyGetKey } from 'jose';
import { TOKEN_ISSUER, type TokenScope } from '../auth/token.js';
import { createLogger, type Logger } from '../logger.js';
import { startService, type RunningService, type ServiceOptions, type ServiceOverrides } from '../start-service.js';
import { runMigrations } from '../runtime/database.js';
import type { Clock } from '../tokens.js';

/** Who a test acts as. */
export type TestActor = {
  readonly tenantId: string;
  readonly roles: readonly Role[];
  /** Default: a new one. */
  readonly id?: string;
  readonly session?: string;
  readonly scope?: TokenScope;
  readonly address?: string;
  readonly userAgent?: string;
};

/** Stands for the gateway: a key pair, its public half as services read it, and tokens. */
export type TestIssuer = {
  readonly keys: JWTVerifyGetKey;
  sign(service: Service, actor: TestActor, options?: { readonly expiresIn?: string | number }): Promise<string>;
};

export const createTestIssuer = async (): Promise<TestIssuer> => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const kid = randomUUID();
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' }] });
  return { keys, sign: (service, actor, options) => signTestToken(privateKey, kid, service, actor, options?.expiresIn) };
};

/** A token as the gateway signs them. */
export const signTestToken = (
  key: CryptoKey,
  kid: string,
  service: Service,
  actor: TestActor,
  expiresIn: string | number = '60s',
): Promise<string> =>
  new SignJWT({
    tenant: actor.tenantId,
    roles: actor.roles,
    sid: actor.session ?? 'test-session',
    ...(actor.scope ? { scope: actor.scope } : {}),
    ...(actor.address ? { ip: actor.address } : {}),
    ...(actor.userAgent ? { ua: actor.userAgent } : {}),
  })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .setIssuer(TOKEN_ISSUER)
    .setAudience(service)
    .setSubject(actor.id ?? randomUUID())
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(key);

/** Addresses of a test database; that of `createTestDatabase` of testing-engines fits. */
type DatabaseUrls = { readonly ownerUrl: string; readonly appUrl: string; readonly relayUrl: string };

export type TestServiceOptions<C> = ServiceOptions<C> & {
  readonly database: DatabaseUrls;
  /** Needed with `customerData`. */
  readonly keyring?: DatabaseUrls;
  readonly masterKey?: Buffer;
  /** Default: a log in memory. */
  readonly log?: EventLog;
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
  /** Default true. */
  readonly migrate?: boolean;
  /** See {@link ServiceOverrides}. */
  readonly supervise?: ServiceOverrides['supervise'];
};

export type TestAnswer<Body = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; an empty object when the answer is no JSON. Name its type: `call<z.infer<typeof Accepted>>(…)`. */
  readonly body: Body;
  readonly text: string;
};

type CallOptions = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string | null>> };

export type TestService<C> = RunningService<C> & {
  readonly url: string;
  readonly log: EventLog;
  readonly masterKey: Buffer;
  token(actor: TestActor): Promise<string>;
  /** One call as the gateway makes it. `idempotency-key` is added to POST and PUT unless given as null. */
  call<Body = Record<string, unknown>>(
    actor: TestActor,
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<TestAnswer<Body>>;
  close(): Promise<void>;
};

/** Starts a service on a free port against a migrated test database, with keys of its own in place of the gateway's. */
export const startTestService = async <C>(options: TestServiceOptions<C>): Promise<TestService<C>> => {
  const issuer = await createTestIssuer();
  const log = options.log ?? createMemoryLog();
  const masterKey = options.masterKey ?? randomBytes(32);
  if (options.migrate !== false) {
    await runMigrations({ url: options.database.ownerUrl, migrations: options.migrations ?? [] });
    if (options.keyring) await runMigrations({ url: options.keyring.ownerUrl, migrations: keyringMigrations });
  }
  const env = {
    HTTP_PORT: '0',
    METRICS_PORT: '0',
    KAFKA_BROKERS: '127.0.0.1:1',
    DATABASE_URL: options.database.appUrl,
    RELAY_DATABASE_URL: options.database.relayUrl,
    GATEWAY_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
    ...(options.keyring
      ? { KEYRING_DATABASE_URL: options.keyring.appUrl, KEYRING_MASTER_KEY: masterKey.toString('base64') }
      : {}),
    ...options.env,
  };
  const running = await startService(options, env, {
    log,
    keys: issuer.keys,
    logger: options.logger ?? createLogger({ service: options.service, level: 'silent' }),
    onCrash: (error) => {
      throw error;
    },
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.supervise ? { supervise: options.supervise } : {}),
  });
  const url = `http://127.0.0.1:${running.port}`;
  return {
    ...running,
    url,
    log,
    masterKey,
    token: (actor) => issuer.sign(options.service, actor),
    call: async <Body>(
      actor: TestActor,
      method: string,
      path: string,
      { body, headers = {} }: CallOptions = {},
    ): Promise<TestAnswer<Body>> => {
      const given = {
        authorization: `Bearer ${await issuer.sign(options.service, actor)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' || method === 'PUT' ? { 'idempotency-key': randomUUID() } : {}),
        ...headers,
      };
      const response = await fetch(`${url}${path}`, {
        method,
        headers: Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null)),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        body: (json && text !== '' ? JSON.parse(text) : {}) as Body,
        text,
      };
    },
    close: async () => {
      await running.drain.drain('test');
      if (!options.log) await log.close();
    },
  };
};
