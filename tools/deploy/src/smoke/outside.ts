import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, startPostgres, type RunningPostgres } from '@centralita/testing-engines';
import { startKafka, type RunningKafka } from '@centralita/tool-kafka';
import {
  identitySpec,
  prepareDatabases,
  simulatorSpec,
  type Databases,
  type Folders,
  type Secrets,
  type SecretFiles,
  type Supervisor,
  type Wiring,
} from '@centralita/tool-start';
import { Forwarder } from './cluster/service.js';
import { serviceNetwork } from './containers.js';
import { outside, ports } from './values.js';

export type Outside = {
  readonly kafka: RunningKafka;
  readonly postgres: RunningPostgres;
  readonly databases: Databases;
  stop(): Promise<void>;
};

/** Kafka and Postgres where pods reach them, with empty databases and their roles: what a platform team has before it installs the chart. */
export const startEngines = async (folders: Folders, secrets: Secrets, supervisor: Supervisor): Promise<Outside> => {
  const log = (name: string): ((line: string) => void) => {
    const file = createWriteStream(join(folders.logs, `${name}.log`), { flags: 'a' });
    return (line) => void file.write(`${line}\n`);
  };
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((engine) => engine.stop()));
  };
  const keep = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const engine = await starting;
    started.push(engine);
    return engine;
  };
  try {
    const [kafka, postgres] = await Promise.all([
      keep(
        startKafka({
          dataDir: folders.kafka,
          network: { listen: `${outside.kafka}:${ports.kafka}`, advertised: `kafka:${ports.kafka}` },
          onLog: log('kafka'),
        }),
      ),
      keep(
        startPostgres({
          dataDir: folders.postgres,
          maxConnections: 400,
          // Pods, and this machine when it uses an address of theirs.
          network: { address: outside.postgres, clients: '10.0.0.0/8' },
          onLog: log('postgres'),
        }),
      ),
    ]);
    void kafka.died.then(({ lastLines }) => supervisor.reportDeath('kafka', lastLines));
    void postgres.died.then(({ lastLines }) => supervisor.reportDeath('postgres', lastLines));
    const databases = await prepareDatabases(postgres.url, {
      password: secrets.databasePassword,
      mark: `deploy ${serviceNetwork}`,
    });
    // Where the nightly replay folds the log again.
    await createDatabase(postgres.url, { name: 'billing_replay', password: secrets.databasePassword });
    return { kafka, postgres, databases, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** The identity provider and the simulated WhatsApp, on loopback, with an address each that pods reach. */
export const startNeighbours = async (
  supervisor: Supervisor,
  files: SecretFiles,
  secrets: Secrets,
  seed: number,
): Promise<Forwarder[]> => {
  const wiring: Pick<Wiring, 'files' | 'seed' | 'oidc'> & { ports: { http: Record<string, number> } } = {
    ports: { http: ports },
    files,
    seed,
    oidc: { issuer: `http://127.0.0.1:${ports.identity}`, clientId: 'centralita', clientSecret: secrets.oidcClientSecret },
  };
  // Neither of the two looks at more of the wiring: the services, which need the rest, are pods here.
  await Promise.all([identitySpec, simulatorSpec].map((spec) => supervisor.start(spec(wiring as unknown as Wiring))));
  return Promise.all(
    (['identity', 'simulator'] as const).map(async (name) => {
      const forwarder = new Forwarder(() => [{ host: '127.0.0.1', port: ports[name] }]);
      await forwarder.listen(outside[name], ports[name]);
      return forwarder;
    }),
  );
};
