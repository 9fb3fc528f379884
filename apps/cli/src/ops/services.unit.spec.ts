import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { exitOf, messageOf } from './exit-codes.js';
import { centralita, type Ran } from '../runner.spec.js';

/** Processes that answer by address. */
const ops = (argv: string[], answers: Record<string, [number, string]>, env: Record<string, string> = {}): Promise<Ran> =>
  centralita(
    ['ops', ...argv],
    {},
    {
      env,
      fetch: async (input) => {
        const [status, text] = answers[typeof input === 'string' ? input : ''] ?? [404, ''];
        return new Response(text, { status });
      },
    },
  );
const metrics = (...lines: string[]): [number, string] => [200, `# TYPE x gauge\n${lines.join('\n')}\n`];

describe('centralita ops relay status', () => {
  it('shows what waits, and exits 1 when something has waited for a minute', async () => {
    const argv = ['relay', 'status', '--metrics', 'http://a.test:9090/', '--metrics', 'http://b.test:9090', '--json'];
    const quiet = {
      'http://a.test:9090/metrics': metrics('outbox_depth 3', 'outbox_oldest_age_seconds 1.5'),
      'http://b.test:9090/metrics': metrics('up 1'),
    };
    const fine = await ops(argv, quiet);
    expect([fine.exitCode, JSON.parse(fine.out[0] ?? '')]).toEqual([
      0,
      {
        relays: [
          { url: 'http://a.test:9090', depth: 3, oldestSeconds: 1.5 },
          { url: 'http://b.test:9090', depth: null, oldestSeconds: null },
        ],
        stuck: false,
      },
    ]);
    const stuck = { ...quiet, 'http://a.test:9090/metrics': metrics('outbox_depth 1', 'outbox_oldest_age_seconds 61') };
    expect((await ops(argv.slice(0, -1), stuck)).out.at(-1)).toBe('result: STUCK');
    expect((await ops(argv, stuck)).exitCode).toBe(1);
  });

  it('says who does not answer', async () => {
    const ran = await centralita(['ops', 'relay', 'status', '--metrics', 'http://a.test:9090'], {});
    expect([ran.exitCode, ran.err]).toEqual([69, ['error: http://a.test:9090 does not answer: ENOTFOUND']]);
  });
});

describe('centralita ops selftest', () => {
  const health = { SELFTEST_BILLING_HEALTH_URL: 'http://b.test:9090', SELFTEST_AUDIT_LOG_HEALTH_URL: 'http://a.test:9090' };
  const api = { SELFTEST_BILLING_URL: 'http://b.test:8080', SELFTEST_INGEST_WEBHOOK_URL: 'http://w.test:8080', ...health };

  it('health names the process that is not ready, with its own sentence', async () => {
    const up: [number, string] = [200, '{}'];
    const answers: Record<string, [number, string]> = {
      'http://a.test:9090/health/live': up,
      'http://a.test:9090/health/ready': up,
      'http://b.test:9090/health/live': up,
      'http://b.test:9090/health/ready': [503, 'log: topic missing'],
    };
    const ran = await ops(['selftest', 'health'], answers, health);
    expect([ran.exitCode, ran.out]).toEqual([1, ['audit-log: OK', 'billing: not ready: log: topic missing', 'result: FAILED']]);
    expect((await ops(['selftest', 'health'], { ...answers, 'http://b.test:9090/health/ready': up }, health)).exitCode).toBe(0);
  });

  it('schema says who lacks migrations and who is refused', async () => {
    const ran = await ops(
      ['selftest', 'schema'],
      { 'http://a.test:9090/metrics': metrics('schema_skew 2'), 'http://b.test:9090/metrics': metrics('schema_skew{x="y"} -1') },
      health,
    );
    expect(ran.out).toEqual([
      'audit-log: the database lacks 2 migrations',
      'billing: the database is newer and refuses this build',
      'result: FAILED',
    ]);
  });

  it('authz fails when anybody gets in', async () => {
    const closed: Record<string, [number, string]> = {
      'http://b.test:8080/v1/operations/parked': [401, ''],
      'http://w.test:8080/api/v1/platform/overview': [404, ''],
    };
    const fine = await ops(['selftest', 'authz'], closed, api);
    expect([fine.exitCode, fine.out.at(-1)]).toEqual([0, 'result: OK']);
    const open = await ops(
      ['selftest', 'authz', '--json'],
      { ...closed, 'http://b.test:8080/v1/operations/parked': [200, '{}'] },
      api,
    );
    expect(open.exitCode).toBe(1);
    expect(JSON.parse(open.out[0] ?? '')).toMatchObject({
      checks: expect.arrayContaining([{ name: 'billing with a forged token', problem: 'answers 200, expected 401' }]),
    });
  });

  it('wants addresses', async () => {
    expect((await ops(['selftest', 'authz'], {}, {})).exitCode).toBe(78);
  });
});

describe('the exit code of a failure', () => {
  const failed = (code: string): Error => Object.assign(new Error('holds a password'), { code });
  it.each([
    ['a log that is away', new PlatformError('LOG_UNAVAILABLE', 'x'), 69],
    ['two runs at once', new PlatformError('VERSION_CONFLICT', 'x'), 2],
    ['our own bug', new PlatformError('INTERNAL', 'x'), 70],
    ['a server that is away', failed('ECONNREFUSED'), 69],
    ['a wrong password', failed('28P01'), 77],
    ['a wrong statement', failed('42601'), 70],
    ['what nobody foresaw', new TypeError('holds a password'), 70],
  ] as const)('of %s', (_, error, code) => {
    expect(exitOf(error)).toBe(code);
    expect(messageOf(error)).not.toContain('password');
  });
});

describe('centralita ops', () => {
  it('has the parked records at its side, and says what its exit codes mean', async () => {
    const help = await centralita(['ops', '--help'], {});
    expect(help.out.join('\n')).toMatch(/parked .*records of a service[^]*78 the configuration is wrong/);
    expect((await centralita(['--help'], {})).out.join('\n')).toContain('ops');
    expect((await centralita(['ops', 'parked', 'list'], {})).exitCode).toBe(64);
  });
});
