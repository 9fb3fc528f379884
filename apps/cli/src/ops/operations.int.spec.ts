import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeEvent, Topics } from '@centralita/contracts';
import { openEventLog, type EventLog } from '@centralita/event-log';
import { createTestDatabase, startKafka, until, type RunningKafka, type TestDatabase } from '@centralita/testing-engines';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centralita, type Ran } from '../runner.spec.js';
import { operationRecord } from './log.js';

describe('centralita ops, on engines', () => {
  let folder: string;
  let kafka: RunningKafka;
  let log: EventLog;
  let database: TestDatabase;
  const master = Buffer.alloc(32, 7).toString('base64');
  /** What audit-log tells at its metrics port. */
  let told: () => string = () => '';
  const opsWith = (env: Record<string, string>, ...argv: string[]): Promise<Ran> =>
    centralita(
      ['ops', ...argv],
      {},
      {
        env: {
          KAFKA_BROKERS: kafka.brokers.join(','),
          DATABASE_MIGRATOR_URL: database.ownerUrl,
          KEYRING_MASTER_KEY: master,
          ...env,
        },
        fetch: async () => new Response(told()),
      },
    );
  const ops = (...argv: string[]): Promise<Ran> => opsWith({}, ...argv);
  const recorded = async (): Promise<string[]> => {
    const types: string[] = [];
    const ranges = [...(await log.admin.endOffsets('operations.events.v1'))].map(([partition, to]) => ({
      topic: 'operations.events.v1',
      partition,
      from: 0n,
      to,
    }));
    await log.read(ranges, async (records) => {
      for (const { value } of records) {
        const decoded = decodeEvent(value);
        if ('event' in decoded) types.push(decoded.event.type);
      }
    });
    return types;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ops-'));
    kafka = await startKafka({ dataDir: join(folder, 'kafka'), heapMb: 256 });
    log = await openEventLog({ brokers: kafka.brokers, clientId: 'ops-spec' });
    database = await createTestDatabase({ service: 'keyring' });
  }, 120_000);
  afterAll(async () => {
    await log.close();
    await kafka.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('makes the topics once, checks them, refuses another number, and records what it made', async () => {
    const before = await ops('topics', 'check');
    expect([before.exitCode, before.out[0]]).toEqual([1, 'wa.inbound.v1 does not exist']);
    const one = ['--replication-factor', '1', '--min-insync', '1', '--partitions', '6', '--json'];
    const made = await ops('topics', 'create', ...one);
    expect([made.err, JSON.parse(made.out[0] ?? '')]).toEqual([[], { created: [...Topics], existing: [] }]);
    expect(JSON.parse((await ops('topics', 'create', ...one)).out[0] ?? '')).toMatchObject({ created: [] });
    expect((await ops('topics', 'check', '--partitions', '6')).exitCode).toBe(0);
    expect((await ops('topics', 'check', '--partitions', '12')).out[0]).toBe('wa.inbound.v1 has 6 partitions, not 12');
    const other = await ops('topics', 'create', ...one.slice(0, 4), '--partitions', '12');
    expect([other.exitCode, other.err[0]]).toEqual([1, expect.stringContaining('has 6 partitions, not 12')]);
    expect(await recorded()).toEqual(['topics.created.v1']);
  });

  it('finds its own event again, and shows a group that is behind', async () => {
    const ran = await ops('selftest', 'roundtrip');
    expect([ran.err, ran.exitCode, ran.out]).toEqual([
      [],
      0,
      [
        expect.stringMatching(/^on the log with every byte after \d+ ms: OK$/),
        'tables of audit-log (not looked at: no SELFTEST_AUDIT_LOG_HEALTH_URL): OK',
        'result: OK',
      ],
    ]);
    expect(await recorded()).toEqual(['topics.created.v1', 'selftest.ran.v1']);
    // and waits for a service whose tables hold an older one, until they hold this one or the time is over
    const address = { SELFTEST_AUDIT_LOG_HEALTH_URL: 'http://audit-log.test:9090' };
    const before = Date.now();
    let asked = 0;
    told = () => `selftest_projected_timestamp_seconds{service="audit-log"} ${(asked++ < 2 ? before - 1 : Date.now()) / 1000}\n`;
    const projected = await opsWith(address, 'selftest', 'roundtrip');
    expect([asked, projected.exitCode, projected.out[1]]).toEqual([
      3,
      0,
      expect.stringMatching(/^in the tables of audit-log after \d+ ms more: OK$/),
    ]);
    told = () => '';
    const missing = await opsWith(address, 'selftest', 'roundtrip', '--within', '1');
    expect([missing.exitCode, missing.out.slice(1)]).toEqual([
      1,
      ['in the tables of audit-log: not there after 1 s; see its lag with `centralita ops lag`', 'result: FAILED'],
    ]);
    expect((await ops('lag')).out).toEqual(['behind: 0 records']);
    // given a group that has stopped before the last record
    const append = (): Promise<void> => log.append([{ topic: 'billing.events.v1', key: 'a', value: Buffer.from('x') }]);
    await append();
    let applied = 0;
    const subscription = await log.subscribe({
      groupId: 'billing',
      topics: ['billing.events.v1'],
      startAt: async () => new Map(),
      onBatch: async ({ records }) => void (applied += records.length),
      onCrash: () => undefined,
    });
    await until(() => applied === 1);
    await subscription.close();
    await append();
    const lag = await ops('lag', '--json');
    const { records, partitions } = JSON.parse(lag.out[0] ?? '') as { records: number; partitions: { records: string }[] };
    expect([records, partitions.filter((one) => one.records !== '0')]).toEqual([
      1,
      [{ group: 'billing', topic: 'billing.events.v1', partition: expect.any(Number), next: '1', end: '2', records: '1' }],
    ]);
  });

  it('lists projections with the newest time that the log says they were filled again', async () => {
    const never = ['usage of billing: never filled again', 'facts of audit-log: never filled again'];
    expect((await ops('projection', 'list')).out).toEqual(never);
    const [older, newer] = ['2026-11-20T10:00:00.000Z', '2026-11-22T10:00:00.000Z'];
    const rebuilt = (at: string, rows: string) =>
      operationRecord('projection.rebuilt.v1', { service: 'billing', projection: 'usage', rows, at }, new Date(at));
    await log.append([rebuilt(newer, '12345'), rebuilt(older, '1')]);
    expect((await ops('projection', 'list')).out).toEqual([
      `usage of billing: filled again at ${newer}, 12,345 rows`,
      'facts of audit-log: never filled again',
    ]);
    const { projections } = JSON.parse((await ops('projection', 'list', '--json')).out[0] ?? '') as { projections: unknown[] };
    expect(projections).toEqual([
      { projection: 'usage', service: 'billing', rebuilt: { at: newer, rows: '12345' } },
      { projection: 'facts', service: 'audit-log', rebuilt: null },
    ]);
  });

  it('makes the schema of the keyring, and wraps its keys again, which is recorded', async () => {
    const migrated = await ops('keyring', 'migrate', '--json');
    expect([migrated.err, migrated.exitCode]).toEqual([[], 0]);
    expect((JSON.parse(migrated.out[0] ?? '') as { applied: unknown[] }).applied.length).toBeGreaterThan(0);
    expect((await ops('keyring', 'migrate')).out.at(-1)).toBe('applied 0 migrations');
    const rotated = await ops('key', 'rotate', '--json');
    expect([rotated.err, JSON.parse(rotated.out[0] ?? '')]).toEqual([
      [],
      expect.objectContaining({ provider: 'local', rewrapped: 0 }),
    ]);
    expect(await recorded()).toContain('keyring.rewrapped.v1');
  });
});
