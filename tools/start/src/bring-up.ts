import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tenantsOf } from './context.js';
import type { StartContext } from './context.js';
import { migrateKeyring } from './databases.js';
import { assertBrokersAnswer } from './externals.js';
import type { Externals } from './externals.js';
import type { Flags } from './flags.js';
import { projectRoot } from './folders.js';
import type { Folders } from './folders.js';
import type { OwnEngines } from './own-engines.js';
import { choosePorts } from './ports.js';
import { StartProblem } from './problem.js';
import type { Supervisor } from './processes.js';
import type { Progress } from './progress.js';
import { prepareSecrets } from './secrets.js';
import { tenants } from './seed/tenants.js';
import {
  exporterSpec,
  identitySpec,
  metricsUrls,
  migrationSpecs,
  platformTargets,
  serviceSpecs,
  simulatorSpec,
} from './services.js';
import type { Wiring } from './services.js';
import { prepareStores } from './stores.js';

export type BringUp = {
  flags: Flags;
  externals: Externals;
  folders: Folders;
  supervisor: Pick<Supervisor, 'run' | 'start'>;
  engines: Pick<OwnEngines, 'kafka' | 'postgres'>;
  progress: Progress;
  signal: AbortSignal;
  /** No port is preferred: nobody opens these addresses, and other platforms may start beside this one. */
  anyPorts?: boolean;
};

const at = (port: number): string => `http://127.0.0.1:${port}`;

/** From nothing to services that answer. Each step needs all before it; within a step things start together. */
export const bringUp = async (start: BringUp): Promise<StartContext> => {
  const { flags, externals, folders, supervisor, engines, progress, signal } = start;
  if (!existsSync(join(projectRoot, 'apps/console/dist/index.html'))) {
    throw new StartProblem('apps/console/dist/index.html is missing: `npm run build` makes it');
  }
  const { secrets, files } = await prepareSecrets(folders.secrets);
  signal.throwIfAborted();
  const given = externals.brokers;
  const names = [given ? '' : 'Kafka', externals.databaseUrl ? '' : 'Postgres'].filter(Boolean);
  const [brokers, adminUrl] = await progress.step(
    'engines',
    names.length > 0 ? `start ${names.join(' and ')}` : 'use the given Kafka and Postgres',
    () =>
      Promise.all([
        given !== null ? assertBrokersAnswer(given).then(() => given) : engines.kafka().then((kafka) => kafka.brokers),
        externals.databaseUrl ?? engines.postgres().then((postgres) => postgres.url),
      ]),
  );

  const databases = await progress.step('stores', 'create topics, databases and roles', () =>
    prepareStores({
      adminUrl,
      brokers,
      externals,
      folders,
      installation: secrets.installation,
      password: secrets.databasePassword,
      once: flags.once,
    }),
  );

  const ports = await choosePorts({ any: start.anyPorts ?? false });
  for (const notice of ports.notices) progress.line(`  ${notice}`);
  if (externals.oidc !== null) progress.line(`  ${externals.oidc.issuer} must know ${at(ports.http.gateway)}/auth/callback`);
  const wiring: Wiring = {
    ports,
    brokers,
    databases,
    secrets,
    files,
    mediaFolder: folders.media,
    oidc: externals.oidc ?? {
      issuer: at(ports.http.identity),
      clientId: 'centralita',
      clientSecret: secrets.oidcClientSecret,
    },
    seed: flags.seed,
    logLevel: process.env['LOG_LEVEL'] || 'info',
    traces: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] || null,
    kafkaDriver: process.env['KAFKA_DRIVER'] || null,
  };
  if (flags.observe) {
    wiring.targetsFile = join(folders.state, 'targets.json');
    await writeFile(wiring.targetsFile, JSON.stringify(platformTargets(wiring), null, 2));
  }
  const specs = serviceSpecs(wiring);

  await progress.step('migrations', 'migrate databases', () =>
    Promise.all([migrateKeyring(databases.keyring.ownerUrl), ...migrationSpecs(wiring).map((spec) => supervisor.run(spec))]),
  );
  await progress.step('services', 'start identity provider, simulator and services', async () => {
    // The gateway looks its provider up when it starts, the senders their Graph API.
    const outside = [simulatorSpec(wiring), ...(externals.oidc === null ? [identitySpec(wiring)] : [])];
    await Promise.all(outside.map((spec) => supervisor.start(spec)));
    await Promise.all([...specs, ...(flags.observe ? [exporterSpec(wiring)] : [])].map((spec) => supervisor.start(spec)));
  });

  return {
    seed: flags.seed,
    customers: flags.customers,
    gatewayUrl: at(ports.http.gateway),
    simulatorUrl: at(ports.http.simulator),
    identityUrl: wiring.oidc.issuer,
    webhookUrl: `${at(ports.http.webhook)}/webhooks`,
    metricsUrls: metricsUrls(wiring),
    ...tenantsOf(tenants),
    brokers,
    databases,
    adminDatabaseUrl: adminUrl,
    keyring: { databaseUrl: databases.keyring.appUrl, masterKey: Buffer.from(secrets.keyringMasterKey, 'base64') },
    files,
    folders,
    service: (name) => {
      const spec = specs.find((one) => one.name === name);
      if (spec === undefined) throw new RangeError(`there is no service ${name}: ${specs.map((one) => one.name).join(', ')}`);
      return { script: spec.script, env: spec.env };
    },
    progress: (text) => progress.line(`  ${text}`),
    signal,
  };
};
