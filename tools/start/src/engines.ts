import { MissingTool } from '@centralita/tool-kafka';
import { startEngines } from '@centralita/testing-engines';

// Keeps one Kafka and one Postgres up, for many test runs (jest starts nothing of its own then) and for launchers.
const starting = startEngines({ maxConnections: 400, onLog: (line) => console.error(line) });
let stopping = false;
const stop = (): void => {
  // One Ctrl-C comes from the terminal, from npm and from the bootstrap.
  if (stopping) return;
  stopping = true;
  void starting.then((engines) => engines.stop()).finally(() => process.exit(0));
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

try {
  const { env } = await starting;
  if (!stopping) {
    for (const [name, value] of Object.entries(env)) console.log(`export ${name}=${value}`);
    console.log(`export DATABASE_URL=${env.TEST_DATABASE_URL}`);
    console.error('engines are up: the first two lines are for tests, KAFKA_BROKERS and DATABASE_URL for npm start');
    console.error('Ctrl-C stops them and deletes their data');
  }
} catch (error) {
  console.error(error instanceof MissingTool ? error.message : error);
  process.exit(1);
}
