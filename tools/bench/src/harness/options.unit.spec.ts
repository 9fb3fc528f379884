import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Bench } from '../bench.js';
import { parseOptions } from './options.js';

const nobody = async (): Promise<never> => {
  throw new Error('nobody runs in here');
};
const bench = (id: string): Bench => ({
  id,
  what: 'something',
  baseline: 'something else',
  engines: [],
  cases: [
    { name: 'small', goal: null, parameters: {} },
    { name: 'as large as it gets', goal: null, full: true, parameters: {} },
  ],
  setUp: nobody,
  ours: nobody,
  theirs: nobody,
});
const folder = mkdtempSync(join(tmpdir(), 'bench-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (...argv: string[]) => parseOptions(argv, [bench('P1'), bench('P4c')], false);

describe('the command line', () => {
  it('has five rounds after one to warm up, and leaves out what takes long', () => {
    const { cases, ...options } = parse('p4C');
    expect(options).toMatchObject({
      bench: { id: 'P4c' },
      rounds: 5,
      warmUp: 1,
      seconds: 5,
      json: null,
      profile: null,
      pin: true,
    });
    expect(cases.map(({ name }) => name)).toEqual(['small']);
  });

  it('runs everything with --full, and what --only names', () => {
    expect(parse('P1', '--full').cases).toHaveLength(2);
    expect(parse('P1', '--full', '--only', 'large').cases.map(({ name }) => name)).toEqual(['as large as it gets']);
  });

  it('takes a file and a folder', () => {
    const json = join(folder, 'p1.json');
    expect(parse('P1', '--json', json, '--profile', 'profiles', '--no-pin')).toMatchObject({ json, pin: false });
  });

  it.each([
    [[], 'missing required argument'],
    [['P9'], "there is no bench 'P9'. There are P1, P4c."],
    [['P1', 'P4c'], 'too many arguments'],
    [['P1', '--json'], "option '--json <file>' argument missing"],
    [['P1', '--json', '--rounds', '2'], 'It needs a path.'],
    [['P1', '--json', folder], 'It is a folder.'],
    [['P1', '--json', join(folder, 'none', 'p1.json')], 'Nothing can be written in'],
    [['P1', '--rounds', '0'], 'It must be a whole number from 1 on.'],
    [['P1', '--rounds', '1.5'], 'It must be a whole number from 1 on.'],
    [['P1', '--warm-up', '-1'], 'It must be a whole number from 0 on.'],
    [['P1', '--only', 'nowhere'], "no case of P1 contains 'nowhere'. There are 'small', 'as large as it gets'."],
    [['P1', '--only', 'large'], "'large' names only cases that --full would run."],
    [['P1', '--fast'], "unknown option '--fast'"],
  ])('says what is wrong with %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});
