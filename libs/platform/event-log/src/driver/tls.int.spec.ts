import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startKafka, type RunningKafka } from '@centralita/testing-engines';
import { LogDrivers, openEventLog } from '../open.js';

const PASSWORD = 'of-the-spec';

describe('certificates of brokers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'centralita-tls-'));
  let kafka: RunningKafka;
  let broker: string;
  const made = (name: string): { store: string; ca: string } => {
    const store = join(folder, `${name}.p12`);
    const keytool = (...args: string[]): string =>
      execFileSync('keytool', [...args, '-keystore', store, '-storepass', PASSWORD, '-alias', name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    keytool('-genkeypair', '-keyalg', 'EC', '-dname', `CN=${name}`, '-ext', 'san=ip:127.0.0.1', '-storetype', 'PKCS12');
    return { store, ca: keytool('-exportcert', '-rfc') };
  };
  let right: string;
  let wrong: string;

  beforeAll(async () => {
    const own = made('broker');
    right = own.ca;
    wrong = made('stranger').ca;
    broker = `127.0.0.1:${await freePort()}`;
    kafka = await startKafka({
      dataDir: join(folder, 'kafka'),
      network: { listen: broker, advertised: broker },
      settings: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NETWORK:SSL',
        'listener.name.network.ssl.keystore.location': own.store,
        'listener.name.network.ssl.keystore.type': 'PKCS12',
        'listener.name.network.ssl.keystore.password': PASSWORD,
        'listener.name.network.ssl.key.password': PASSWORD,
      },
    });
  });
  afterAll(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(LogDrivers)('are judged by the authorities that are there at each connection (%s)', async (driver) => {
    let ca = wrong;
    const tls = {
      get ca() {
        return [ca];
      },
    };
    const log = await openEventLog({ driver, brokers: [broker], clientId: 'tls', tls, retries: 1 });
    try {
      await expect(log.admin.clusterId()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
      ca = right;
      expect(await log.admin.clusterId()).not.toBe('');
    } finally {
      await log.close();
    }
  });
});
