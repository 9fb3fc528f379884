import 'reflect-metadata';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { catalogue, type Topic } from '@centralita/contracts';
import type { Projection, ProjectionsOptions, ServiceOptions } from '@centralita/platform-nest';
import { z } from 'zod';
import { repository } from '../repository.js';

type Service = Pick<ServiceOptions, 'customerData' | 'relayTopics' | 'consumerGroup' | 'migrations'> & {
  readonly schema: z.ZodType;
};

/** What the templates of the chart know about a process: everything that follows from its code and is no choice of the installer. */
export type ProcessFacts = {
  /** Name of its image. */
  readonly app: string;
  readonly args: readonly string[];
  /** `INGEST_ROLE`, where an app has several processes. */
  readonly role?: string;
  /** Key of `postgres` in the values. */
  readonly database?: string;
  /** Publishes from its event store: a second role at the database. */
  readonly relay: boolean;
  /** Its own pool needs sessions (LISTEN): it never goes through a transaction pooler. */
  readonly listens: boolean;
  /** Connections of one process beside its own pool. */
  readonly connections: number;
  readonly keyring: boolean;
  readonly kafka: boolean;
  readonly group?: string;
  readonly reads: readonly Topic[];
  readonly writes: readonly Topic[];
  /** Has an API on 8080. */
  readonly api: boolean;
  /** Reached from the ingress controller. */
  readonly public: boolean;
  /** Checks tokens of the gateway, so it fetches the gateway's public keys. */
  readonly tokens: boolean;
  /** Calls the provider. */
  readonly graph: boolean;
  /** Processes whose API it calls. */
  readonly calls: readonly string[];
  /** Those of its own settings that the chart fills in. */
  readonly settings: readonly string[];
  /** What its image fills again (`projection NAME`), each with the topics that it is filled from. */
  readonly projections?: Readonly<Record<string, readonly Topic[]>>;
};

const chartSettings = [
  'APPS_FILE',
  'GRAPH_API_URL',
  'MEDIA_DIR',
  'ACCOUNTS_FILE',
  'TEMPLATES_FILE',
  'TENANTS_FILE',
  'AUDIT_SIGNING_KEY_FILE',
  'OIDC_ISSUER',
];

const sourceOf = (app: string): string => join(repository, 'apps', app, 'src');
const load = async <Module>(app: string, file: string): Promise<Module> =>
  (await import(pathToFileURL(join(sourceOf(app), file)).href)) as Module;

const settingsOf = (schema: z.ZodType): string[] => {
  if (schema instanceof z.ZodPipe) return settingsOf(schema.in as z.ZodType);
  if (!(schema instanceof z.ZodObject)) throw new TypeError('settings are an object of zod');
  return chartSettings.filter((name) => name in schema.shape);
};

/** Topics for which the code below a folder has a handler. */
const handledBelow = (folder: string): Topic[] => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
  );
  const topics = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/@OnEvents\(\s*'([^']+)'/g)].map(([, topic]) => topic as Topic),
  );
  return [...new Set(topics)].sort();
};

type Projections = {
  readonly projections: (env: NodeJS.ProcessEnv) => ProjectionsOptions;
} & Readonly<Record<`${string}Projection`, (needs?: unknown) => Projection>>;

/** None is opened: its name is a key, and which topics it handles does not depend on what it is given. */
const projectionsOf = async (app: string): Promise<Partial<ProcessFacts>> => {
  const file = 'projections.ts';
  if (!existsSync(join(sourceOf(app), file))) return {};
  const module = await load<Projections>(app, file);
  const names = Object.keys(module.projections({}).projections).sort();
  return {
    projections: Object.fromEntries(
      names.map((name) => [name, [...module[`${name}Projection`]!().handlers.keys()].sort() as Topic[]]),
    ),
  };
};

/** Topics on which a service's events stand, by the catalogue. */
export const producedBy = (service: string): Topic[] => {
  const own = catalogue.filter(
    ({ producers }) => producers === 'every service' || (producers as readonly string[]).includes(service),
  );
  return [...new Set(own.map(({ topic }) => topic))].sort();
};

/** Access records and what operates the service: every process with a relay. */
const everywhere: readonly Topic[] = ['access.events.v1', 'operations.events.v1'];
const RELAY_CONNECTIONS = 2;
const KEYRING_CONNECTIONS = 4;
/** Writer of routing domains, and its signals. */
const ROUTING_CONNECTIONS = 5;

const behindGateway = (
  app: string,
  database: string,
  service: Service,
  folder: string,
  more: Partial<ProcessFacts> = {},
): ProcessFacts => ({
  app,
  args: [],
  database,
  relay: service.relayTopics !== undefined,
  listens: false,
  connections:
    (service.relayTopics ? RELAY_CONNECTIONS : 0) +
    (service.customerData ? KEYRING_CONNECTIONS : 0) +
    (more.listens ? ROUTING_CONNECTIONS : 0),
  keyring: service.customerData,
  kafka: true,
  ...(service.consumerGroup ? { group: service.consumerGroup } : {}),
  reads: handledBelow(folder),
  writes: [...new Set([...(service.relayTopics ?? []), ...everywhere])].sort(),
  api: true,
  public: false,
  tokens: true,
  graph: false,
  calls: ['gateway'],
  settings: settingsOf(service.schema),
  ...more,
});

/** Every process of the platform, by its name. */
export const processes = async (): Promise<Readonly<Record<string, ProcessFacts>>> => {
  const { webhookEnv } = await load<{ webhookEnv: z.ZodType }>('ingest', 'config.ts');
  const { gatewayEnv } = await load<{ gatewayEnv: z.ZodType }>('gateway', 'config.ts');
  const ingest = await load<{ senderService: Service; mediaService: Service }>('ingest', 'services.ts');
  const { conversationService } = await load<{ conversationService: Service }>('conversation', 'service.ts');
  const { routingService } = await load<{ routingService: Service }>('routing', 'service.ts');
  const { billing } = await load<{ billing: Service }>('billing', 'service.ts');
  const { auditLog } = await load<{ auditLog: Service }>('audit-log', 'service.ts');
  const bare = { args: [], relay: false, listens: false, connections: 0, keyring: false, tokens: false, graph: false };
  const roleOfIngest = (role: string, service: Service, folder: string): ProcessFacts =>
    behindGateway('ingest', 'ingest', service, join(sourceOf('ingest'), folder), {
      role,
      graph: true,
      // Attempts and media are appended to the log themselves, not through the outbox.
      writes: ['wa.outbound.v1', ...everywhere].sort() as Topic[],
    });
  return {
    'ingest-webhook': {
      ...bare,
      app: 'ingest',
      role: 'webhook',
      database: 'ingest',
      connections: KEYRING_CONNECTIONS,
      keyring: true,
      kafka: true,
      reads: [],
      writes: ['wa.inbound.v1'],
      api: true,
      public: true,
      calls: [],
      settings: settingsOf(webhookEnv),
    },
    'ingest-media': roleOfIngest('media', ingest.mediaService, 'fetch-media'),
    'ingest-sender': roleOfIngest('sender', ingest.senderService, 'send-reply'),
    conversation: behindGateway(
      'conversation',
      'conversation',
      conversationService,
      sourceOf('conversation'),
      await projectionsOf('conversation'),
    ),
    routing: behindGateway('routing', 'routing', routingService, sourceOf('routing'), {
      ...(await projectionsOf('routing')),
      listens: true,
    }),
    billing: behindGateway('billing', 'billing', billing, sourceOf('billing'), await projectionsOf('billing')),
    'audit-log': behindGateway('audit-log', 'audit-log', auditLog, sourceOf('audit-log'), await projectionsOf('audit-log')),
    gateway: {
      ...bare,
      app: 'gateway',
      database: 'gateway',
      kafka: false,
      reads: [],
      writes: [],
      api: true,
      public: true,
      calls: ['audit-log', 'billing', 'conversation', 'ingest-media', 'routing'],
      settings: settingsOf(gatewayEnv),
    },
    'lag-exporter': {
      ...bare,
      app: 'cli',
      args: ['ops', 'exporter'],
      kafka: true,
      reads: [],
      writes: [],
      api: false,
      public: false,
      calls: [],
      settings: [],
    },
  };
};

/** Names of all migrations, by database, in the order in which they run: what the name of the migration Job follows from. */
export const migrations = async (): Promise<Readonly<Record<string, readonly string[]>>> => {
  const { keyringMigrations } = await import('@centralita/keyring');
  const { gatewayMigrations } = await load<{ gatewayMigrations: readonly (new () => object)[] }>('gateway', 'gateway.ts');
  const services = {
    ingest: await load<{ migrations: Service['migrations'] }>('ingest', 'services.ts').then(({ migrations: list }) => list),
    conversation: (await load<{ conversationService: Service }>('conversation', 'service.ts')).conversationService.migrations,
    routing: (await load<{ routingService: Service }>('routing', 'service.ts')).routingService.migrations,
    billing: (await load<{ billing: Service }>('billing', 'service.ts')).billing.migrations,
    'audit-log': (await load<{ auditLog: Service }>('audit-log', 'service.ts')).auditLog.migrations,
    gateway: gatewayMigrations,
    keyring: keyringMigrations,
  };
  return Object.fromEntries(
    Object.entries(services).map(([database, list]) => [database, (list ?? []).map((migration) => migration.name)]),
  );
};
