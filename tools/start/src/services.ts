import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './folders.js';
import type { DatabaseName, Databases } from './databases.js';
import type { GivenProvider } from './externals.js';
import type { Ports } from './ports.js';
import type { ProcessSpec } from './processes.js';
import { StartProblem } from './problem.js';
import type { Secrets, SecretFiles } from './secrets.js';

export type Wiring = {
  ports: Ports;
  brokers: readonly string[];
  databases: Databases;
  secrets: Secrets;
  files: SecretFiles;
  mediaFolder: string;
  oidc: GivenProvider;
  seed: number;
  logLevel: string;
  /** Where services send traces; null for nowhere. */
  traces: string | null;
  /** Client library that services use for Kafka; null for their default. */
  kafkaDriver: string | null;
  /** Where the gateway reads whose figures it shows; absent for nobody's. */
  targetsFile?: string;
};

const at = (port: number): string => `http://127.0.0.1:${port}`;

const built = (project: string): string => {
  const script = join(projectRoot, project, 'dist', 'main.js');
  if (!existsSync(script)) throw new StartProblem(`${project}/dist/main.js is missing: \`npm run build\` makes it`);
  return script;
};

const clientSecret = ({ oidc }: Wiring): Record<string, string> =>
  oidc.clientSecret === null ? {} : { OIDC_CLIENT_SECRET: oidc.clientSecret };

type ServiceName = 'webhook' | 'media' | 'sender' | 'conversation' | 'routing' | 'billing' | 'audit-log' | 'gateway';
type ServiceRow = { name: ServiceName; project: string; database: DatabaseName; env: (wiring: Wiring) => Record<string, string> };

const upstreams = ({ ports }: Wiring): Record<string, string> => ({
  CONVERSATION_URL: at(ports.http.conversation),
  ROUTING_URL: at(ports.http.routing),
  BILLING_URL: at(ports.http.billing),
  AUDIT_LOG_URL: at(ports.http['audit-log']),
  INGEST_URL: at(ports.http.media),
});

const ingest = (role: 'webhook' | 'media' | 'sender'): ServiceRow => ({
  name: role,
  project: 'apps/ingest',
  database: 'ingest',
  env: ({ ports, files, mediaFolder }) => ({
    INGEST_ROLE: role,
    APPS_FILE: files.apps,
    GRAPH_API_URL: at(ports.http.simulator),
    MEDIA_DIR: mediaFolder,
  }),
});

const rows: readonly ServiceRow[] = [
  ingest('webhook'),
  ingest('media'),
  ingest('sender'),
  {
    name: 'conversation',
    project: 'apps/conversation',
    database: 'conversation',
    env: ({ files }) => ({ ACCOUNTS_FILE: files.accounts }),
  },
  { name: 'routing', project: 'apps/routing', database: 'routing', env: () => ({}) },
  { name: 'billing', project: 'apps/billing', database: 'billing', env: ({ files }) => ({ ACCOUNTS_FILE: files.accounts }) },
  {
    name: 'audit-log',
    project: 'apps/audit-log',
    database: 'audit_log',
    env: ({ files }) => ({ AUDIT_SIGNING_KEY_FILE: files.ledgerKey }),
  },
  {
    name: 'gateway',
    project: 'apps/gateway',
    database: 'gateway',
    env: (wiring) => ({
      PUBLIC_URL: at(wiring.ports.http.gateway),
      OIDC_ISSUER: wiring.oidc.issuer,
      OIDC_CLIENT_ID: wiring.oidc.clientId,
      ...clientSecret(wiring),
      SESSION_SECRET: wiring.secrets.sessionSecret,
      GATEWAY_SIGNING_KEY_FILE: wiring.files.tokenKey,
      TENANTS_FILE: wiring.files.tenants,
      // Seeding, the day and its checks sign everybody in from one address.
      LOGIN_RATE_PER_MINUTE: '600',
      CONSOLE_DIR: join(projectRoot, 'apps/console/dist'),
      ...(wiring.targetsFile === undefined ? {} : { PLATFORM_TARGETS_FILE: wiring.targetsFile }),
      ...upstreams(wiring),
    }),
  },
];

const processName = (row: ServiceRow): string => (row.database === 'ingest' ? `ingest-${row.name}` : row.name);

const environment = (row: ServiceRow, wiring: Wiring): Record<string, string> => {
  const database = wiring.databases[row.database];
  return {
    HTTP_PORT: String(wiring.ports.http[row.name]),
    METRICS_PORT: String(wiring.ports.metrics[row.name]),
    KAFKA_BROKERS: wiring.brokers.join(','),
    ...(wiring.kafkaDriver === null ? {} : { KAFKA_DRIVER: wiring.kafkaDriver }),
    DATABASE_URL: database.appUrl,
    RELAY_DATABASE_URL: database.relayUrl,
    KEYRING_DATABASE_URL: wiring.databases.keyring.appUrl,
    KEYRING_MASTER_KEY: wiring.secrets.keyringMasterKey,
    GATEWAY_JWKS_URL: `${at(wiring.ports.http.gateway)}/.well-known/jwks.json`,
    LOG_LEVEL: wiring.logLevel,
    SERVICE_INSTANCE: processName(row),
    ...(wiring.traces === null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: wiring.traces }),
    ...row.env(wiring),
  };
};

/** The services in the order in which they are named to the user; they start at the same time. */
export const serviceSpecs = (wiring: Wiring): ProcessSpec[] =>
  rows.map((row) => ({
    name: processName(row),
    script: built(row.project),
    env: environment(row, wiring),
    readyUrl: `${at(wiring.ports.metrics[row.name] as number)}/health/ready`,
  }));

/** One migration run a database, by the role that owns it. */
export const migrationSpecs = (wiring: Wiring): Omit<ProcessSpec, 'readyUrl'>[] =>
  rows
    .filter((row, index) => rows.findIndex((other) => other.project === row.project) === index)
    .map((row) => ({
      name: `migrate ${row.database}`,
      script: built(row.project),
      args: ['migrate'],
      env: { ...environment(row, wiring), DATABASE_MIGRATOR_URL: wiring.databases[row.database].ownerUrl },
    }));

export const identitySpec = (wiring: Wiring): ProcessSpec => {
  const gateway = at(wiring.ports.http.gateway);
  return {
    name: 'identity',
    script: built('tools/identity'),
    env: {
      OIDC_PORT: String(wiring.ports.http.identity),
      USERS_FILE: wiring.files.users,
      OIDC_CLIENT_ID: wiring.oidc.clientId,
      ...clientSecret(wiring),
      OIDC_CLIENT_REDIRECT_URIS: `${gateway}/auth/callback`,
      OIDC_POST_LOGOUT_REDIRECT_URIS: `${gateway},${gateway}/`,
    },
    readyUrl: `${wiring.oidc.issuer}/health`,
  };
};

export const simulatorSpec = (wiring: Wiring): ProcessSpec => ({
  name: 'simulator',
  script: built('tools/simulator'),
  env: {
    SIMULATOR_PORT: String(wiring.ports.http.simulator),
    SIMULATOR_SEED: String(wiring.seed),
    APPS_FILE: wiring.files.apps,
    WEBHOOK_URL: `${at(wiring.ports.http.webhook)}/webhooks`,
  },
  readyUrl: `${at(wiring.ports.http.simulator)}/control/world`,
});

export const metricsUrls = (wiring: Wiring): Record<string, string> =>
  Object.fromEntries(rows.map((row) => [processName(row), `${at(wiring.ports.metrics[row.name] as number)}/metrics`]));

/** What measures lag, proofs and topics from outside of the services. */
export const exporterSpec = (wiring: Wiring): ProcessSpec => ({
  name: 'lag-exporter',
  script: built('apps/cli'),
  args: ['ops', 'exporter'],
  env: {
    METRICS_PORT: String(wiring.ports.metrics['lag-exporter']),
    KAFKA_BROKERS: wiring.brokers.join(','),
    LOG_LEVEL: wiring.logLevel,
    SERVICE_INSTANCE: 'lag-exporter',
  },
  readyUrl: `${at(wiring.ports.metrics['lag-exporter'] as number)}/health/ready`,
});

/** Whom the gateway asks for figures. Where the sender's own API is, no other setting of it says. */
export const platformTargets = (wiring: Wiring): { name: string; url: string; api?: string }[] => [
  ...rows.map((row) => ({
    name: processName(row),
    url: at(wiring.ports.metrics[row.name] as number),
    ...(row.name === 'sender' ? { api: at(wiring.ports.http.sender) } : {}),
  })),
  { name: 'lag-exporter', url: at(wiring.ports.metrics['lag-exporter'] as number) },
];
