import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { mainChart, repository } from '../repository.js';
import { measured } from './measured.js';
import { busyAt, defaultLoad, fewest, plan, roles, type Role } from './model.js';
import { parseCommandLine } from './options.js';
import { report } from './report.js';

const page = readFileSync(join(repository, 'docs/performance.md'), 'utf8');
const figure = (row: RegExp): number => Number((row.exec(page)?.[1] ?? 'missing').replaceAll(',', ''));

const at = (messagesPerSecond: number): ReturnType<typeof plan> => plan({ ...defaultLoad, messagesPerSecond });

describe('measured constants', () => {
  it.each(roles)('are those of docs/performance.md: %s', (role) => {
    expect(measured.processes[role]).toBe(figure(new RegExp(`^\\| ${role} \\| ([\\d,]+) \\|`, 'm')));
  });

  it('are those of docs/performance.md: engines, rate, replay, sizes', () => {
    expect(measured.postgres).toBe(figure(/^\| Postgres \| ([\d,]+) \|/m));
    expect(measured.kafka).toBe(figure(/^\| Kafka \| ([\d,]+) \|/m));
    expect(measured.wholePath.perSecond).toBe(figure(/^\| P2 \|.*?\| ([\d,]+)\/s \|/m));
    expect(measured.replayPerSecond).toBe(figure(/^\| P3 into the database \|.*?\| ([\d,]+)\/s \|/m));
    expect(measured.records).toBe(figure(/^\| records on the log \| ([\d,.]+) \|/m));
    expect(measured.logBytes).toBe(figure(/^\| bytes of them, before replication \| ([\d,]+) \|/m));
    expect(measured.databaseBytes).toBe(figure(/^\| growth of the databases, bytes \| ([\d,]+) \|/m));
  });
});

describe('the plan', () => {
  it('begins with as many pods as the chart', () => {
    type Workload = { replicas?: number; roles?: Record<string, Workload> };
    const { defaults, services } = parse(readFileSync(join(mainChart, 'values.yaml'), 'utf8')) as {
      defaults: Workload;
      services: Record<string, Workload>;
    };
    const ofChart = (role: Role): number | undefined =>
      (services['ingest']?.roles?.[role] ?? services[role])?.replicas ?? defaults.replicas;
    expect(fewest).toEqual(Object.fromEntries(roles.map((role) => [role, ofChart(role)])));
  });

  it('foretells what the bench has measured, within a fifth', () => {
    const { perSecond, cores } = measured.wholePath;
    expect(Math.abs(busyAt(cores) / perSecond - 1)).toBeLessThan(0.2);
  });

  it('never gives a pod more than the share of a core that it may use', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e5, noNaN: true }), (rate) => {
        for (const { role, pods } of at(rate).roles)
          expect((rate * measured.processes[role]) / 1e6 / pods).toBeLessThanOrEqual(defaultLoad.utilisation * (1 + 1e-9));
      }),
    );
  });

  it('has at least twice as many partitions as pods of any consumer, or says that there are not enough', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (rate) => {
        const { partitions, roles: planned } = at(rate);
        const most = Math.max(...planned.filter(({ lagThreshold }) => lagThreshold !== null).map(({ pods }) => pods));
        if (partitions === null) expect(2 * most).toBeGreaterThan(192);
        else expect(partitions).toBeGreaterThanOrEqual(2 * most);
      }),
    );
  });

  it('asks for no less at a higher load', () => {
    const rates = fc.double({ min: 0.01, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(rates, rates, (one, other) => {
        const [low, high] = [at(Math.min(one, other)), at(Math.max(one, other))];
        low.roles.forEach(({ pods }, index) => expect(high.roles[index]?.pods).toBeGreaterThanOrEqual(pods));
        expect(high.postgres.connections).toBeGreaterThanOrEqual(low.postgres.connections);
        expect(high.kafka.diskGigabytes).toBeGreaterThanOrEqual(low.kafka.diskGigabytes);
      }),
    );
  });

  it('survives the loss of a pod at any load', () => {
    for (const { pods } of at(0.01).roles) expect(pods).toBeGreaterThanOrEqual(2);
  });
});

describe('the report', () => {
  it('says what one tenant alone cannot exceed and how long a rebuild takes', () => {
    const text = report(at(1_000));
    expect(text).toContain('one tenant alone gets no further than about 429 messages a second');
    expect(text).toMatch(/Folding 12 months again takes one process [\d,.]+ days/);
  });

  it('sends what is beyond one installation to several', () => {
    expect(report(at(50_000))).toContain('spread tenants over several installations');
  });
});

describe('the command line', () => {
  it.each([
    [[], '--messages-per-second is required'],
    [['--messages-per-second', 'many'], '--messages-per-second must be a number from 0.001 to 1000000'],
    [['--messages-per-second', ''], '--messages-per-second must be a number from 0.001 to 1000000'],
    [['--messages-per-second', '10', '--months', '1.5'], '--months must be a whole number from 1 to 1200'],
    [['--messages-per-second', '10', '--utilisation', '2'], '--utilisation must be a number from 0.05 to 1'],
  ])('refuses %j by name', (args, problem) => {
    expect(parseCommandLine(args)).toEqual({ problem });
  });

  it('refuses what it does not know', () => {
    expect(parseCommandLine(['--pods', '3'])).toEqual({ problem: expect.stringContaining("'--pods'") });
  });

  it('takes what is left out from the defaults', () => {
    expect(parseCommandLine(['--messages-per-second', '1000', '--json'])).toEqual({
      json: true,
      load: { ...defaultLoad, messagesPerSecond: 1_000 },
    });
  });
});
