import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { createMemoryLog, topicSpecs, type EventLog, type LogAdmin, type MemoryLog } from '@centralita/event-log';
import { eventStoreMigrations } from '@centralita/event-store';
import { keyringMigrations } from '@centralita/keyring';
import { createTestDatabase, freePort, until, withClient, type TestDatabase } from '@centralita/testing-engines';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { z } from 'zod';
import { createLogger } from '../logger.js';
import { fixtureMigrations, FixtureModule } from '../testing/fixture.spec.js';
import { startTestService, type TestService, type TestServiceOptions } from '../testing/index.js';
import { runMigrations, schemaVersionOf, type Migrations } from './database.js';
import { DrainController } from './drain.js';

/** A release that is newer by one migration, which only adds. */
class Expands1799000000001 implements MigrationInterface {
  readonly name = 'Expands1799000000001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table note add column colour text');
  }
  async down(): Promise<void> {}
}
/** And the one after it, which takes something away that only releases without the first one need. */
class Contracts1799000000002 implements MigrationInterface {
  readonly name = 'Contracts1799000000002';
  readonly oldestReader = 'Expands1799000000001';
  async up(): Promise<void> {}
  async down(): Promise<void> {}
}

describe('a service whose surroundings do not fit', () => {
  let database: TestDatabase;
  let keyring: TestDatabase;
  let log: MemoryLog;
  let drain: DrainController | undefined;
  let service: TestService<unknown> | undefined;
  let lines: string[];
  beforeEach(async () => {
    [database, keyring] = await Promise.all([
      createTestDatabase({ service: 'around' }),
      createTestDatabase({ service: 'around' }),
    ]);
    log = createMemoryLog();
    lines = [];
    service = undefined;
  });
  afterEach(async () => {
    await drain?.drain('test');
    await service?.close();
    await log.close();
    await Promise.all([database.drop(), keyring.drop()]);
  });

  type Started = { readonly port: number; readonly outcome: Promise<string> };
  /** Starts it and does not wait: it may have to wait itself. */
  const start = async (options: Partial<TestServiceOptions<unknown>> = {}): Promise<Started> => {
    const port = await freePort();
    const { env, ...rest } = options;
    const logger = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
    const outcome = startTestService({
      service: 'conversation',
      schema: z.object({}),
      migrations: fixtureMigrations,
      module: () => FixtureModule,
      relayTopics: [],
      customerData: false,
      database,
      log,
      logger,
      migrate: false,
      supervise: (controller) => (drain = controller),
      ...rest,
      env: { METRICS_PORT: String(port), ...env },
    }).then(
      (running) => {
        service = running;
        return 'started';
      },
      (error: Error) => error.message,
    );
    return { port, outcome };
  };
  const get = async ({ port }: Started, path: string): Promise<[number, Record<string, string>]> => {
    const response = await fetch(`http://127.0.0.1:${port}/health/${path}`);
    return [response.status, ((await response.json()) as { failing: Record<string, string> }).failing];
  };
  const failing = async (started: Started, check: string, sentence: RegExp): Promise<void> => {
    await until(async () => sentence.test((await get(started, 'ready').catch(() => [0, {}] as const))[1][check as never] ?? ''));
    const [[ready], live, startup] = [await get(started, 'ready'), await get(started, 'live'), await get(started, 'startup')];
    // not ready, and yet nobody has a reason to end it
    expect([ready, live, startup]).toEqual([503, [200, {}], [200, {}]]);
    const metrics = await (await fetch(`http://127.0.0.1:${started.port}/metrics`)).text();
    expect(metrics).toContain(`readiness_failing{check="${check}",service="conversation"} 1`);
    const told = lines.filter((line) => sentence.test((JSON.parse(line) as { msg: string }).msg));
    expect(told).toHaveLength(1);
  };
  const skewOf = async ({ port }: Started): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^schema_skew\{[^}]*\} (-?\d+)$/m.exec(text)?.[1]);
  };
  const migrate = (migrations: Migrations): Promise<string[]> => runMigrations({ url: database.ownerUrl, migrations });
  const versions = (): Promise<unknown> =>
    withClient(
      database.adminUrl,
      async (client) => (await client.query('select version, oldest_reader from schema_version')).rows[0] as unknown,
    );

  it('waits for a schema that is not there, then for one that is older, and starts when it is', async () => {
    const started = await start();
    await failing(started, 'schema', /^(waiting: )?the schema of database \w+ is not there yet: run `main.js migrate`/);
    expect(await skewOf(started)).toBe(fixtureMigrations.length);
    await migrate(eventStoreMigrations);
    await failing(started, 'schema', /older than this release: 1 of its migrations are missing, from NotesTable1764000000001 on/);
    expect(await skewOf(started)).toBe(1);
    await migrate(fixtureMigrations);
    expect(await started.outcome).toBe('started');
    expect([await get(started, 'ready'), await skewOf(started)]).toEqual([[200, {}], 0]);
  });

  it('works on the schema of the next release, until that refuses it', async () => {
    const next: Migrations = [...fixtureMigrations, Expands1799000000001];
    await migrate(next);
    expect(await versions()).toEqual({ version: '1799000000001', oldest_reader: '0' });
    // given this release on the schema of the next one
    const started = await start();
    expect(await started.outcome).toBe('started');
    expect([await get(started, 'ready'), await skewOf(started)]).toEqual([[200, {}], 0]);
    // when the release after that takes away what only this one needs, while it runs
    await migrate([...next, Contracts1799000000002]);
    expect(await versions()).toEqual({ version: '1799000000002', oldest_reader: '1799000000001' });
    await until(async () => (await get(started, 'ready'))[0] === 503);
    expect((await get(started, 'ready'))[1].schema).toMatch(
      new RegExp(
        `too new for this release: it refuses releases older than 1799000000001, and this one is ${schemaVersionOf(fixtureMigrations)};`,
      ),
    );
    expect(await skewOf(started)).toBe(-1);
    // then an older migrator changes nothing of that
    await migrate(fixtureMigrations);
    expect(await versions()).toEqual({ version: '1799000000002', oldest_reader: '1799000000001' });
    await service?.close();
    const again = await start();
    await failing(again, 'schema', /is too new for this release/);
    await drain?.drain('test');
    expect(await again.outcome).toBe('stopped while waiting for schema');
  });

  it('waits for a database that does not answer', async () => {
    await migrate(fixtureMigrations);
    const nobody = new URL(database.appUrl);
    nobody.port = String(await freePort());
    const started = await start({ env: { DATABASE_URL: nobody.href } });
    await failing(
      started,
      'database',
      /the database does not let this process in: the database cannot be reached \(ECONNREFUSED\)/,
    );
    const stranger = new URL(database.appUrl);
    await drain?.drain('test');
    stranger.password = 'hunter2';
    const refused = await start({ env: { DATABASE_URL: stranger.href } });
    await failing(refused, 'database', /the database does not let this process in: .* \(28P01\)/);
    expect(lines.join('')).not.toContain('hunter2');
  });

  /** The log, but for what its administration says. */
  const withAdmin = (admin: Partial<LogAdmin>): EventLog => ({ ...log, admin: { ...log.admin, ...admin } });

  it('waits for a log that does not answer', async () => {
    await migrate(fixtureMigrations);
    let answers = false;
    let asked = 0;
    const clusterId = async (): Promise<string> => {
      asked += 1;
      // The driver tries for a while before it gives up.
      if (asked === 1) await new Promise((resolve) => setTimeout(resolve, 200));
      if (answers) return log.admin.clusterId();
      throw new PlatformError('LOG_UNAVAILABLE', 'administration failed: KafkaJSConnectionError', { errno: 'ECONNREFUSED' });
    };
    const started = await start({ log: withAdmin({ clusterId }) });
    await until(async () => (await get(started, 'ready').catch(() => [0, {}] as const))[0] === 503);
    await failing(started, 'log', /the log does not answer: administration failed: KafkaJSConnectionError \(ECONNREFUSED\)/);
    answers = true;
    expect(await started.outcome).toBe('started');
    expect((await get(started, 'ready'))[0]).toBe(200);
  });

  it.each([
    ['finite retention', { 'retention.ms': '604800000' }, {}, /access.events.v1 has retention.ms=604800000, not -1/],
    ['compaction', { 'cleanup.policy': 'compact' }, {}, /access.events.v1 has cleanup.policy=compact, not delete/],
    ['another partition count', {}, { partitions: 6 }, /access.events.v1 has 6 partitions, not 12 as others have/],
  ])('waits while a topic has %s', async (_, config, other, sentence) => {
    await migrate(fixtureMigrations);
    let broken = true;
    const describeTopics = async (names: readonly string[]) =>
      (await log.admin.describeTopics(names)).map((topic) =>
        broken && topic.name === 'access.events.v1' ? { ...topic, ...other, config: { ...topic.config, ...config } } : topic,
      );
    const started = await start({ log: withAdmin({ describeTopics }) });
    await failing(started, 'topics', sentence);
    broken = false;
    expect(await started.outcome).toBe('started');
    expect((await get(started, 'ready'))[0]).toBe(200);
  });

  it('waits for topics that are not there, and for the number that was chosen', async () => {
    await migrate(fixtureMigrations);
    const none = createMemoryLog({ topics: [] });
    const started = await start({ log: none, env: { KAFKA_TOPIC_PARTITIONS: '48' } });
    await failing(started, 'topics', /access.events.v1 does not exist; operations.events.v1 does not exist$/);
    await none.admin.createTopics(topicSpecs);
    await failing(
      started,
      'topics',
      /access.events.v1 has 12 partitions, not 48; operations.events.v1 has 12 partitions, not 48$/,
    );
    await drain?.drain('test');
    await none.close();
  });

  const withKeyring = { customerData: true, service: 'conversation' as const };

  it('says that there is no key provider, and counts it', async () => {
    await Promise.all([migrate(fixtureMigrations), runMigrations({ url: keyring.ownerUrl, migrations: keyringMigrations })]);
    const started = await start({ ...withKeyring, keyring, env: { KEYRING_MASTER_KEY: '' } });
    await failing(started, 'keyring', /there is no key provider: give KEYRING_MASTER_KEY_FILE, or KEYRING_PROVIDER=vault/);
    const text = await (await fetch(`http://127.0.0.1:${started.port}/metrics`)).text();
    expect(text).toMatch(/kms_errors_total\{operation="check",code="KEY_UNAVAILABLE",service="conversation"\} [1-9]/);
  });

  it('waits for a key provider that does not answer, and for the schema of the keyring', async () => {
    await migrate(fixtureMigrations);
    const port = await freePort();
    const vault = {
      KEYRING_MASTER_KEY: '',
      KEYRING_PROVIDER: 'vault',
      KEYRING_VAULT_ADDR: `http://127.0.0.1:${port}`,
      KEYRING_VAULT_KEY: 'centralita',
      KEYRING_VAULT_TOKEN_FILE: '/dev/null',
    };
    const started = await start({ ...withKeyring, keyring, env: vault });
    await failing(
      started,
      'keyring',
      new RegExp(`the key provider vault at 127.0.0.1:${port} does not answer \\(ECONNREFUSED\\)`),
    );
    const server: Server = createServer((_, response) =>
      response.end(
        JSON.stringify({ data: { batch_results: [{ ciphertext: `vault:v1:${randomBytes(8).toString('base64')}` }] } }),
      ),
    );
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((server.address() as AddressInfo).port).toBe(port);
    await failing(started, 'keyring', /the keyring database has no schema yet: run `centralita ops keyring migrate`/);
    await runMigrations({ url: keyring.ownerUrl, migrations: keyringMigrations });
    expect(await started.outcome).toBe('started');
    expect((await get(started, 'ready'))[0]).toBe(200);
    server.closeAllConnections();
    server.close();
  });
});
