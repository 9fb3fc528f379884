import { describe, expect, it } from '@jest/globals';
import type { RanService } from '../../io.js';
import { centralita, type Ran } from '../../runner.spec.js';

const rebuild = async (ran: RanService | null, ...argv: string[]): Promise<Ran & { asked: unknown[] }> => {
  const asked: unknown[] = [];
  const answer = await centralita(
    ['ops', 'projection', 'rebuild', ...argv],
    {},
    {
      runService: async (service, args) => {
        asked.push([service, ...args]);
        return ran;
      },
    },
  );
  return { ...answer, asked };
};
const ended = (exitCode: number, out: object[], err: string[] = []): RanService => ({
  exitCode,
  out: out.map((line) => JSON.stringify(line)),
  err,
});

describe('centralita ops projection rebuild', () => {
  it('lets the program of the service do it, and tells what came of it', async () => {
    const done = { projection: 'usage', records: 1234, events: 1200, rows: '1' };
    const ran = await rebuild(ended(0, [{ msg: 'a line of its log' }, done]), 'usage');
    expect([ran.exitCode, ran.err, ran.asked]).toEqual([0, [], [['billing', 'projection', 'usage']]]);
    expect(ran.out).toEqual(['filled usage of billing again from 1,234 records: 1 row']);
    const json = await rebuild(ended(0, [{ ...done, projection: 'facts' }]), 'facts', '--json');
    expect(JSON.parse(json.out[0] ?? '')).toEqual({ ...done, projection: 'facts', service: 'audit-log' });
    expect(json.asked).toEqual([['audit-log', 'projection', 'facts']]);
  });

  it('says where it can be done when the service is not installed beside it', async () => {
    const ran = await rebuild(null, 'facts');
    expect([ran.exitCode, ran.err]).toEqual([
      69,
      [
        'error: the program of audit-log is not installed here; on Kubernetes: kubectl create job --from=cronjob/<release>-projection-facts <release>-projection-facts-1',
      ],
    ]);
  });

  it.each([
    ['wrong settings', ended(78, [], ['billing: KAFKA_BROKERS is required']), 78, 'billing: KAFKA_BROKERS is required'],
    [
      'a database that is away',
      ended(1, [{ level: 'fatal', err: { code: 'DATABASE_UNAVAILABLE', message: 'the database does not answer' } }]),
      69,
      'the database does not answer',
    ],
    ['a code that nobody knows', ended(1, [{ err: { code: 'EWHAT', message: 'what' } }]), 70, 'what'],
    ['silence', ended(137, []), 70, 'the program of the service ended with 137'],
    [
      'words that are no line of a log',
      { exitCode: 1, out: ['Segmentation fault'], err: [] },
      70,
      'the program of the service ended with 1',
    ],
  ])('ends as the program did: %s', async (_, ran, exitCode, message) => {
    const answer = await rebuild(ran, 'usage');
    expect([answer.exitCode, answer.err, answer.out]).toEqual([exitCode, [`error: ${message}`], []]);
  });

  it('knows which there are', async () => {
    const ran = await rebuild(null, 'inbox');
    expect([ran.exitCode, ran.asked, ran.err.join(' ')]).toEqual([64, [], expect.stringContaining('usage, facts')]);
  });
});
