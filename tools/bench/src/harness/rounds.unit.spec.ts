import { describe, expect, it } from '@jest/globals';
import type { Bench, Ground } from '../bench.js';
import { runCase, type RoundOptions } from './rounds.js';
import type { Sample, SideRequest } from './side-process.js';

const ground: Ground = { databaseUrl: '', brokers: [], cores: null, engines: {}, folder: '', made: {} };
const one = { name: 'a case', goal: 1, parameters: { writers: 8 } };
const nobody = async (): Promise<never> => {
  throw new Error('the sides run in processes of their own');
};
const bench: Bench = {
  id: 'PX',
  what: 'something',
  baseline: 'something else',
  engines: [],
  cases: [one],
  setUp: nobody,
  ours: nobody,
  theirs: nobody,
};

type Answer = (side: string, round: number) => Sample | undefined;
const sample: Answer = (_side, round) => ({ messages: 10 + round, seconds: 2, processor: null, engines: null, figures: {} });

/** Runs a case whose sides answer at once; gives what they were asked, in order. */
const run = async (rounds: number, warmUp: number, answer: Answer = sample) => {
  const asked: string[] = [];
  const shown: string[] = [];
  const startSide: NonNullable<RoundOptions['startSide']> = () => {
    let [name, count] = ['', 0];
    return {
      ask: async (request: SideRequest): Promise<Sample | undefined> => {
        if (request.ask === 'open') name = request.side;
        asked.push(`${request.ask} ${name}`);
        return request.ask === 'round' ? answer(name, count++) : undefined;
      },
      end: async () => void asked.push(`end ${name}`),
    };
  };
  const onRound: RoundOptions['onRound'] = (side, index) => shown.push(`${side} ${index}`);
  const result = runCase(bench, one, ground, { rounds, warmUp, seconds: 2, profile: null, onRound, startSide });
  return { result, asked, shown };
};

describe('a case', () => {
  it('opens each side once and asks them in turn', async () => {
    const { result, asked } = await run(2, 0);
    await result;
    const rounds = ['round ours', 'round theirs', 'round ours', 'round theirs'];
    expect(asked).toEqual(['open ours', 'open theirs', ...rounds, 'end ours', 'end theirs']);
  });

  it('shows rounds that warm up and does not count them', async () => {
    const { result, shown } = await run(1, 1);
    const { rounds } = await result;
    expect(shown).toEqual(['ours -1', 'theirs -1', 'ours 0', 'theirs 0']);
    expect(rounds.ours.map(({ messages }) => messages)).toEqual([11]);
    expect(rounds.theirs[0]?.perSecond).toBe(5.5);
  });

  it('ends both sides when a round fails, and fails', async () => {
    const { result, asked } = await run(3, 0, (side, round) => {
      if (side === 'theirs') throw new Error('9 messages were acknowledged, 8 are there');
      return sample(side, round);
    });
    await expect(result).rejects.toThrow('9 messages were acknowledged, 8 are there');
    expect(asked).toEqual(['open ours', 'open theirs', 'round ours', 'round theirs', 'end ours', 'end theirs']);
  });

  it('takes no round without figures', async () => {
    const { result } = await run(1, 0, () => undefined);
    await expect(result).rejects.toThrow('without figures');
  });
});
