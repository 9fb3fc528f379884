import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startKafka, type RunningKafka } from '@centralita/testing-engines';
import { LogDrivers, openEventLog } from '../open.js';
import type { EventLog } from '../port.js';
import type { SaslOptions } from './options.js';

/** A token as Kafka's own validator for development takes it: no signature, and yet a subject and an end. */
const tokenOf = (subject: string, seconds: number): string => {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + seconds })}.`;
};

describe('signing in to brokers', () => {
  let kafka: RunningKafka;
  let brokers: string[];
  const folder = mkdtempSync(join(tmpdir(), 'centralita-sign-in-'));
  const file = join(folder, 'secret');
  const secret = (): string => readFileSync(file, 'utf8').trim();

  beforeAll(async () => {
    const port = await freePort();
    brokers = [`127.0.0.1:${port}`];
    const module = 'org.apache.kafka.common.security';
    kafka = await startKafka({
      dataDir: join(folder, 'kafka'),
      network: { listen: brokers[0] as string, advertised: brokers[0] as string },
      settings: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NETWORK:SASL_PLAINTEXT',
        'sasl.enabled.mechanisms': 'OAUTHBEARER,PLAIN',
        'listener.name.network.oauthbearer.sasl.jaas.config': `${module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
        'listener.name.network.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_billing="first";`,
        // A connection that is there has to sign in again before this has passed; kafkajs does ten seconds earlier.
        'connections.max.reauth.ms': '12000',
      },
    });
  });
  afterAll(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true });
  });

  const withLog = async (driver: (typeof LogDrivers)[number], sasl: SaslOptions, work: (log: EventLog) => Promise<void>) => {
    const log = await openEventLog({ driver, brokers, clientId: 'sign-in', sasl, retries: 2 });
    try {
      await work(log);
    } finally {
      await log.close();
    }
  };
  const writesTo = async (log: EventLog, topic: string): Promise<void> =>
    log.append([{ topic, key: randomUUID(), value: Buffer.from('x') }]);

  it('by a token that is renewed in its file, also on connections that are there', async () => {
    writeFileSync(file, `${tokenOf('billing', 13)}\n`);
    let asked = 0;
    const token = (): string => {
      asked += 1;
      return secret();
    };
    // At the same time: the pace is the broker's.
    const goesOn = (driver: (typeof LogDrivers)[number]): Promise<void> =>
      withLog(driver, { mechanism: 'oauthbearer', token }, async (log) => {
        const topic = `renewed-${driver}`;
        await log.admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
        await writesTo(log, topic);
        const begun = asked;
        // when the first token has ended, and so have the sign-ins that it was good for
        const ended = Date.now() + 14_000;
        writeFileSync(file, tokenOf('billing', 600));
        while (Date.now() < ended) {
          await writesTo(log, topic);
          // Not a wait for a result: the token's life passes in real time, and writing goes on all the while.
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(asked).toBeGreaterThan(begun);
        expect([...(await log.admin.endOffsets(topic)).values()][0]).toBeGreaterThan(10n);
      });
    await Promise.all(LogDrivers.map(goesOn));
  });

  it.each(LogDrivers)('by a token that is refused first, which is said without the token (%s)', async (driver) => {
    const topic = `refused-${driver}`;
    writeFileSync(file, tokenOf('billing', 600));
    await withLog(driver, { mechanism: 'oauthbearer', token: secret }, (log) =>
      log.admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]),
    );
    const bad = tokenOf('billing', -600);
    writeFileSync(file, bad);
    await withLog(driver, { mechanism: 'oauthbearer', token: secret }, async (log) => {
      const failure = await writesTo(log, topic).catch((error: unknown) => error as Error);
      expect(failure).toMatchObject({ code: 'CONFIGURATION_INVALID' });
      expect(`${(failure as Error).message}${JSON.stringify(failure)}`).not.toContain(bad);
      // and the same client goes on with the next one
      writeFileSync(file, tokenOf('billing', 600));
      await writesTo(log, topic);
    });
  });

  it.each(LogDrivers)('by a password that is read again (%s)', async (driver) => {
    writeFileSync(file, 'wrong');
    await withLog(driver, { mechanism: 'plain', username: 'billing', password: secret }, async (log) => {
      await expect(log.admin.clusterId()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
      writeFileSync(file, 'first\n');
      expect(await log.admin.clusterId()).not.toBe('');
      rmSync(file);
    });
  });
});
