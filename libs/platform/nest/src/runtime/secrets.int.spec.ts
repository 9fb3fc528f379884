import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  assertNoneLeft,
  createTestDatabase,
  freePort,
  ProcessHarness,
  until,
  type TestDatabase,
} from '@centralita/testing-engines';
import { fixtureMigrations } from '../testing/fixture.spec.js';
import { runMigrations } from './database.js';

/** Each secret has a word that stands nowhere else; whatever a process shows is searched for all of them. */
describe('secrets of a process', () => {
  let database: TestDatabase;
  let folder: string;
  const processes: ProcessHarness[] = [];
  const canary = (name: string): string => `canary-${name}-${randomBytes(6).toString('hex')}`;
  const words = {
    database: canary('database'),
    relay: canary('relay'),
    kafka: canary('kafka'),
    traces: canary('traces'),
    token: canary('token'),
  };
  const master = randomBytes(32);
  const all = [...Object.values(words), master.toString('base64'), master.toString('hex'), master.toString('base64url')];

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'secrets' });
    folder = await mkdtemp(join(tmpdir(), 'centralita-canaries-'));
    await runMigrations({ url: database.ownerUrl, migrations: fixtureMigrations });
  });
  afterAll(async () => {
    await Promise.all(processes.filter((one) => one.running()).map((one) => one.kill()));
    assertNoneLeft(processes);
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const start = async (env: Record<string, string>): Promise<{ process: ProcessHarness; port: number }> => {
    const port = await freePort();
    const sut = await ProcessHarness.start({
      name: `secrets-${processes.length}`,
      script: fileURLToPath(new URL('./service-process.spec.ts', import.meta.url)),
      env: {
        LOG_LEVEL: 'trace',
        METRICS_PORT: String(port),
        KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
        GATEWAY_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
        ...env,
      },
    });
    processes.push(sut);
    return { process: sut, port };
  };
  const withPassword = (url: string, password: string): string => {
    const address = new URL(url);
    address.password = password;
    return address.href;
  };
  const shownBy = async ({ process: sut, port }: { process: ProcessHarness; port: number }): Promise<string> => {
    const pages = await Promise.all(
      ['/metrics', '/health/ready', '/health/startup'].map((path) =>
        fetch(`http://127.0.0.1:${port}${path}`).then(
          (response) => response.text(),
          () => '',
        ),
      ),
    );
    return [readFileSync(`/proc/${sut.pid}/cmdline`, 'utf8'), ...pages, ...sut.lines].join('\n');
  };
  const expectNone = (text: string): void => expect(all.filter((word) => text.includes(word))).toEqual([]);

  it('are in nothing that it shows while every one of them is wrong', async () => {
    const files = {
      KEYRING_MASTER_KEY_FILE: master.toString('base64'),
      OTEL_EXPORTER_OTLP_HEADERS_FILE: `authorization=Bearer%20${words.traces}`,
      KAFKA_SASL_PASSWORD_FILE: words.kafka,
      KEYRING_VAULT_TOKEN_FILE: words.token,
    };
    const paths: Record<string, string> = {};
    for (const [name, contents] of Object.entries(files)) {
      paths[name] = join(folder, name);
      await writeFile(paths[name], contents);
    }
    const started = await start({
      ...paths,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      KAFKA_TLS: 'true',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'billing',
      KEYRING_PROVIDER: 'vault',
      KEYRING_VAULT_ADDR: 'http://127.0.0.1:1',
      KEYRING_VAULT_KEY: 'centralita',
      DATABASE_URL: withPassword(database.appUrl, words.database),
      RELAY_DATABASE_URL: withPassword(database.relayUrl, words.relay),
    });
    await started.process.waitForLine(/28P01/);
    const text = await shownBy(started);
    expect(text).toContain('does not let this process in');
    expectNone(text);
  });

  it('are in nothing that it shows when it gets further, and ends', async () => {
    const key = join(folder, 'key');
    await writeFile(key, master.toString('base64'));
    const relay = await start({
      KEYRING_MASTER_KEY_FILE: key,
      DATABASE_URL: database.appUrl,
      RELAY_DATABASE_URL: withPassword(database.relayUrl, words.relay),
      BREAK: 'reject',
    });
    await relay.process.waitForLine(/module built/);
    await until(async () => !relay.process.running());
    expectNone(relay.process.lines.join('\n'));
    expect(relay.process.lines.join('\n')).not.toContain(new URL(database.appUrl).password);
  });

  it('are in no message about settings', async () => {
    const wrong = join(folder, 'wrong');
    await writeFile(wrong, words.token);
    const refused = await start({
      KEYRING_MASTER_KEY_FILE: wrong,
      OTEL_EXPORTER_OTLP_HEADERS: words.traces,
      DATABASE_URL: `mysql://app:${words.database}@127.0.0.1/x`,
      RELAY_DATABASE_URL: database.relayUrl,
    });
    expect(await refused.process.exited).toMatchObject({ code: 78 });
    const text = refused.process.lines.join('\n');
    expect(text).toContain('KEYRING_MASTER_KEY must be 32 bytes in base64');
    expectNone(text);
  });
});
