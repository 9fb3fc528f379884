import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { invariants } from './examination.js';
import { History } from './history.js';
import { judge } from './judge.js';
import { soundHistory, spoils } from './seeded.js';

const numbers = Object.keys(invariants).map(Number);

describe('the history checker', () => {
  it('given a sound history, finds nothing and has looked at something for every invariant', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 3, max: 30 }), (seed, customers) => {
        const { violations, examined } = judge(soundHistory(seed, customers));
        expect(violations).toEqual([]);
        expect([...examined.keys()].sort((left, right) => left - right)).toEqual(numbers);
      }),
      { numRuns: 20 },
    );
  });

  it('is fed at least one bad history for each invariant', () => {
    expect([...new Set(spoils.map(({ invariant }) => invariant))]).toEqual(numbers);
  });

  it.each(spoils)('given $what, names invariant $invariant', ({ invariant, spoil }) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 3, max: 12 }), fc.infiniteStream(fc.nat()), (seed, customers, dice) => {
        const history = soundHistory(seed, customers);
        spoil(history, (list) => {
          const one = list[(dice.next().value as number) % list.length];
          if (one === undefined) throw new RangeError('nothing to spoil');
          return one;
        });
        // A saved history is judged as the one that was made.
        const { violations } = judge(History.parse(JSON.parse(JSON.stringify(history))));
        expect(violations.map((violation) => violation.invariant)).toContain(invariant);
        expect(violations.find((violation) => violation.invariant === invariant)?.message).toContain(`invariant ${invariant} (`);
      }),
      { numRuns: 25 },
    );
  });

  it('given an unknown delivery before the acknowledged one, takes the first as the time of sending', () => {
    const history = soundHistory(1, 3);
    const [first, second] = history.operations;
    if (!first || !second) throw new RangeError('no operations');
    // The second fact was tried before the first, without an answer, and that try put it on the log before the first.
    const [early, late] = history.records;
    if (!early || !late) throw new RangeError('no records');
    [early.fact, late.fact] = [late.fact, early.fact];
    history.operations.push({ ...second, invoked: first.invoked - 1, ended: null, outcome: 'unknown' });
    expect(judge(history).violations).toEqual([]);
  });
});
