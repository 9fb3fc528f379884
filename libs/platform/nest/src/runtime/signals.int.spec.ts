import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assertNoneLeft, createTestDatabase, freePort, ProcessHarness, type TestDatabase } from '@centralita/testing-engines';
import { runMigrations } from './database.js';
import { fixtureMigrations } from '../testing/fixture.spec.js';

describe('a process that is told to end', () => {
  let migrated: TestDatabase;
  let empty: TestDatabase;
  let nobody: string;
  const processes: ProcessHarness[] = [];

  beforeAll(async () => {
    migrated = await createTestDatabase({ service: 'signals' });
    empty = await createTestDatabase({ service: 'signals' });
    await runMigrations({ url: migrated.ownerUrl, migrations: fixtureMigrations });
    nobody = `127.0.0.1:${await freePort()}`;
  });
  afterAll(async () => {
    await Promise.all(processes.filter((one) => one.running()).map((one) => one.kill()));
    assertNoneLeft(processes);
    await Promise.all([migrated.drop(), empty.drop()]);
  });

  const start = async (database: TestDatabase, env: Record<string, string> = {}): Promise<ProcessHarness> => {
    const sut = await ProcessHarness.start({
      name: `service-${processes.length}`,
      script: fileURLToPath(new URL('./service-process.spec.ts', import.meta.url)),
      env: {
        DATABASE_URL: database.appUrl,
        RELAY_DATABASE_URL: database.relayUrl,
        KAFKA_BROKERS: nobody,
        GATEWAY_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
        ...env,
      },
    });
    processes.push(sut);
    return sut;
  };
  /** Status and time to its end, which must come by itself: harder means would show as a signal. */
  const ended = async (sut: ProcessHarness): Promise<unknown> => {
    sut.signal('SIGTERM');
    const late = AbortSignal.timeout(5_000);
    const exit = await Promise.race([
      sut.exited,
      new Promise((resolve) => late.addEventListener('abort', () => resolve('did not end'))),
    ]);
    return exit;
  };

  it('ends in time while it waits for migrations', async () => {
    const sut = await start(empty);
    await sut.waitForLine(/is not there yet: run/);
    expect(await ended(sut)).toMatchObject({ code: 0 });
    expect(sut.lines.join('\n')).not.toContain('could not start');
  });

  it('ends in time while it waits for the log', async () => {
    const sut = await start(migrated);
    await sut.waitForLine(/module built/);
    expect(await ended(sut)).toMatchObject({ code: 0 });
    expect(sut.lines.filter((line) => line.includes('"clean":true'))).toHaveLength(1);
  });

  it.each(['reject', 'throw'])('drains and exits 1 after what nobody handles (%s)', async (BREAK) => {
    const sut = await start(migrated, { BREAK });
    expect(await sut.exited).toMatchObject({ code: 1 });
    const messages = sut.lines.filter((line) => line.startsWith('{')).map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages.filter((msg) => ['unexpected failure', 'draining', 'drained'].includes(msg))).toEqual([
      'unexpected failure',
      'draining',
      'drained',
    ]);
  });
});
