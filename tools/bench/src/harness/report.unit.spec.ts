import { describe, expect, it } from '@jest/globals';
import type { Bench, Case } from '../bench.js';
import type { Machine } from './machine.js';
import { benchReport, caseLines, caseReport, roundLine, spread } from './report.js';
import type { Round } from './rounds.js';

const nobody = async (): Promise<never> => {
  throw new Error('nobody runs in here');
};
const bench: Bench = {
  id: 'PX',
  what: 'something',
  baseline: 'something else',
  engines: [],
  cases: [],
  setUp: nobody,
  ours: nobody,
  theirs: nobody,
};
const round = (perSecond: number, more: Partial<Round> = {}): Round => ({
  messages: 100,
  seconds: 100 / perSecond,
  perSecond,
  processor: 1_000,
  engines: 500,
  figures: {},
  ...more,
});
const report = (one: Partial<Case>, ours: Round[], theirs: Round[]) =>
  caseReport(bench, { case: { name: 'a case', goal: 1, parameters: {}, ...one }, rounds: { ours, theirs } });

describe('a spread', () => {
  it('is median, least and greatest, in whatever order they came', () => {
    expect(spread([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(spread([4, 1, 3, 100])).toEqual({ median: 3.5, min: 1, max: 100 });
  });
});

describe('the report of a case', () => {
  it('takes ratios round by round: a slow minute of the machine meets both', () => {
    const { ratio } = report({}, [round(100), round(10), round(50)], [round(50), round(5), round(25)]);
    expect(ratio).toEqual({ median: 2, min: 2, max: 2 });
  });

  it('compares cost as theirs over ours, a message', () => {
    const dear = round(100, { processor: 4_000 });
    const cheap = round(100, { processor: 3_000, messages: 300 });
    const { ratio, cpuRatio } = report({ ratioOf: 'cpu' }, [cheap], [dear]);
    expect(ratio.median).toBe(4);
    expect(cpuRatio?.median).toBe(4);
  });

  it('knows no cost when one round has none', () => {
    const { cpuRatio, ours } = report({}, [round(1), round(1, { processor: null })], [round(1), round(1)]);
    expect(cpuRatio).toBeNull();
    expect(ours.cpuPerMessage).toBeNull();
  });

  it('says whether goal, limits and least rate were reached', () => {
    const one = { goal: 2, limits: { 'p99 ms': 50 }, leastPerSecond: 1_000 };
    const slow = round(900, { figures: { 'p99 ms': 51 } });
    const lines = caseLines(report(one, [slow], [round(500)])).join('\n');
    expect(lines).toContain('goal 2.00: NOT reached');
    expect(lines).toContain('p99 ms at most 50: NOT reached');
    expect(lines).toContain('at least 1000 messages/s: NOT reached');
    const quick = round(1_000, { figures: { 'p99 ms': 50 } });
    expect(caseLines(report(one, [quick], [round(500)])).join('\n')).not.toContain('NOT');
  });
});

describe('the report of a bench', () => {
  it('begins with the case that is furthest from its goal', () => {
    const near = report({ name: 'near', goal: 10 }, [round(90)], [round(10)]);
    const far = report({ name: 'far', goal: 0.5 }, [round(2)], [round(10)]);
    const told = benchReport([near, far], {} as Machine);
    expect(told.id).toBe('PX far');
    expect(told.cases).toHaveLength(2);
  });
});

describe('the line of a round', () => {
  it('says what is not known, and which rounds do not count', () => {
    const line = roundLine('ours', -1, round(100, { processor: null, figures: { refused: 3 } }));
    expect(line).toContain('warm-up');
    expect(line).toContain('CPU a message not known');
    expect(line).toContain('refused 3.00');
    expect(roundLine('ours', 0, round(100))).toContain('CPU a message 10.0 us, of the engines 5.0 us');
  });
});
