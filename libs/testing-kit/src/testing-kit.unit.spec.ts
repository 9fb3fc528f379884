import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deciderSpec, type Decider } from './decider-spec.js';
import { interleave } from './interleavings.js';

type Event = { readonly type: 'lit' } | { readonly type: 'put-out' };
const lamp: Decider<boolean, 'light' | 'put out', Event> = {
  initialState: false,
  evolve: (_state, event) => event.type === 'lit',
  decide: (command, lit) => {
    if (command === 'light') return lit ? [] : { type: 'lit' };
    if (!lit) throw Object.assign(new Error('it is dark'), { code: 'NOT_LIT' });
    return { type: 'put-out' };
  },
};
const given = deciderSpec(lamp, (actual, expected) => expect(actual).toEqual(expected));

describe('given, when, then', () => {
  it('compares what is decided', () => {
    given().when('light').then({ type: 'lit' });
    given({ type: 'lit' }).when('light').thenNothing();
    given({ type: 'lit' }, { type: 'put-out' }).when('put out').thenRefused('NOT_LIT');
  });

  it('fails when something else is decided, and when nothing is refused', () => {
    expect(() => given().when('light').thenNothing()).toThrow();
    expect(() => given({ type: 'lit' }).when('put out').thenRefused('NOT_LIT')).toThrow();
  });
});

describe('interleavings', () => {
  const sequences = fc.array(fc.array(fc.nat(1000), { maxLength: 6 }), { maxLength: 4 });

  it('keep the order of each sequence and lose nothing', () => {
    fc.assert(
      fc.property(sequences, fc.infiniteStream(fc.nat()), (lists, stream) => {
        const named = lists.map((list, which) => list.map((value, at) => ({ which, at, value })));
        const mixed = interleave(named, (below) => (stream.next().value as number) % below);
        for (const [which, list] of named.entries()) expect(mixed.filter((item) => item.which === which)).toEqual(list);
      }),
    );
  });

  it('put duplicates behind their originals', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.infiniteStream(fc.nat()), (duplicates, stream) => {
        const items = Array.from({ length: 5 }, (_, at) => ({ at }));
        const mixed = interleave([items], (below) => (stream.next().value as number) % below, duplicates);
        expect(mixed).toHaveLength(5 + duplicates);
        expect([...new Set(mixed)]).toEqual(items);
      }),
    );
  });
});
