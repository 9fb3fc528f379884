import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka } from '@centralita/tool-kafka';
import { removePostgres, startPostgres } from './postgres.js';

export type Engines = { env: { KAFKA_BROKERS: string; TEST_DATABASE_URL: string }; stop(): Promise<void> };

export type EnginesOptions = { maxConnections?: number; onLog?: (line: string) => void };

/**
 * The Kafka and the Postgres of a test run, in a temporary folder. What the environment names already (KAFKA_BROKERS,
 * TEST_DATABASE_URL) is used and not started. If one does not start, the other is stopped again.
 */
export const startEngines = async (options: EnginesOptions = {}): Promise<Engines> => {
  const { maxConnections = 200, onLog = () => undefined } = options;
  const given = { kafka: process.env['KAFKA_BROKERS'], postgres: process.env['TEST_DATABASE_URL'] };
  const folder = await mkdtemp(join(tmpdir(), 'centralita-engines-'));
  // Postgres may have to run as another account, which must get through.
  await chmod(folder, 0o755);
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((one) => one()));
    await removePostgres(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  };
  const kafka = async (): Promise<string> => {
    if (given.kafka !== undefined) return given.kafka;
    const running = await startKafka({ dataDir: join(folder, 'kafka'), onLog: (line) => onLog(`kafka    ${line}`) });
    stops.push(() => running.stop());
    return running.brokers.join(',');
  };
  const postgres = async (): Promise<string> => {
    if (given.postgres !== undefined) return given.postgres;
    const running = await startPostgres({
      dataDir: join(folder, 'postgres'),
      durable: false,
      maxConnections,
      onLog: (line) => onLog(`postgres ${line}`),
    });
    stops.push(() => running.stop());
    return running.url;
  };
  const [brokers, url] = await Promise.allSettled([kafka(), postgres()]);
  if (brokers.status === 'rejected' || url.status === 'rejected') {
    await stop();
    throw brokers.status === 'rejected' ? brokers.reason : (url as PromiseRejectedResult).reason;
  }
  return { env: { KAFKA_BROKERS: brokers.value, TEST_DATABASE_URL: url.value }, stop };
};
