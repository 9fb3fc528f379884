import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, later, millis } from '../time.js';
import { placeInThread, type Placed } from './order.js';

const START = millis('2026-11-23T10:00:00.000Z');
const at = (seconds: number): string => instant(START + seconds * 1000);
const floor = (at: string): number => Math.floor(millis(at) / 1000);

type Line = Placed & { readonly name: number };
type Standing = Line & { readonly place: string; readonly position: number };

/** Records lines one after another, as a case's stream does. */
const record = (lines: readonly Placed[]): Standing[] => {
  let newest: string | null = null;
  return lines.map((line, index) => {
    const place = placeInThread(line, newest);
    newest = later(newest, place);
    return { ...line, name: index, place, position: index + 1 };
  });
};
const inOrder = (standing: readonly Standing[]): Standing[] =>
  [...standing].sort((a, b) => millis(a.place) - millis(b.place) || a.position - b.position);
const names = (standing: readonly Standing[]): number[] => inOrder(standing).map(({ name }) => name);

const said = (second: number, recorded: number): Placed => ({ origin: 'provider', at: at(second), recordedAt: at(recorded) });
const done = (moment: number): Placed => ({ origin: 'here', at: at(moment), recordedAt: at(moment) });

describe('the order of a thread', () => {
  it.each<[string, Placed[], number[]]>([
    ['a message of the second in which the answer was written, seen before it', [said(5, 5.2), done(5.9)], [0, 1]],
    ['the same, seen after it', [said(1, 1.1), done(5.3), said(5, 5.9)], [0, 1, 2]],
    [
      'a message that arrives in the next second, written in that of the answer',
      [said(1, 1.1), done(5.9), said(5, 6.4)],
      [0, 1, 2],
    ],
    ['a message from before the answer that comes late', [said(1, 1.1), done(9), said(5, 9.5)], [0, 2, 1]],
    ['an album', [said(5, 5.8), said(5, 5.8), said(5, 5.7), said(5, 6.9)], [0, 1, 2, 3]],
    ['seconds the wrong way round', [said(6, 6.1), said(5, 6.2)], [1, 0]],
    ['an answer when the provider is two seconds ahead of us', [said(7, 5.5), done(6.5), said(9, 7.5)], [0, 1, 2]],
    ['a late one among its equals', [said(5, 5.1), said(5, 5.2), said(8, 8.1), said(5, 9)], [0, 1, 3, 2]],
  ])('%s', (_, lines, expected) => expect(names(record(lines))).toEqual(expected));
});

const lines = fc
  .array(
    fc.record({
      origin: fc.constantFrom('provider' as const, 'here' as const),
      recorded: fc.integer({ min: 0, max: 400 }),
      delay: fc.integer({ min: -3_000, max: 8_000 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let now = START;
    return steps.map(({ origin, recorded, delay }): Placed => {
      now += recorded;
      const moment = now - delay;
      return {
        origin,
        at: instant(origin === 'here' ? now : Math.floor(moment / 1000) * 1000),
        recordedAt: instant(now),
      };
    });
  });

describe('whatever comes in whatever order', () => {
  it('what was done here stands after all that was recorded before it', () =>
    fc.assert(
      fc.property(lines, (given) => {
        const order = names(record(given));
        given.forEach((line, index) => {
          if (line.origin === 'here')
            for (let before = 0; before < index; before += 1) expect(order.indexOf(before)).toBeLessThan(order.indexOf(index));
        });
      }),
    ));

  it('what the provider tells stands in its second: earlier seconds before later ones', () =>
    fc.assert(
      fc.property(lines, (given) => {
        const told = inOrder(record(given)).filter(({ origin }) => origin === 'provider');
        for (const { at: time, place } of told) expect(floor(place)).toBe(floor(time));
        for (const [index, line] of told.entries())
          expect(floor(line.at)).toBeGreaterThanOrEqual(floor(told[index - 1]?.at ?? line.at));
      }),
    ));

  it('within one second, what was not late stands as it was recorded', () =>
    fc.assert(
      fc.property(lines, (given) => {
        const standing = record(given);
        const order = names(standing);
        let newest = 0;
        const punctual = standing.filter(({ place }) => {
          const late = floor(place) < newest;
          newest = Math.max(newest, floor(place));
          return !late;
        });
        for (const [index, line] of punctual.entries())
          for (const before of punctual.slice(0, index))
            if (floor(before.place) === floor(line.place))
              expect(order.indexOf(before.name)).toBeLessThan(order.indexOf(line.name));
      }),
    ));

  it('a page that was read stays right: what comes later moves nothing, and pages from a place on skip nothing', () =>
    fc.assert(
      fc.property(lines, lines, fc.integer({ min: 1, max: 7 }), (first, second, size) => {
        const before = record(first);
        const after = record([...first, ...second.map((line) => ({ ...line }))]);
        expect(after.slice(0, before.length)).toEqual(before);
        // newest first, by keyset: the second half arrives after the first page was read
        const page = (all: readonly Standing[], from: Standing | null): Standing[] => {
          const backwards = inOrder(all).reverse();
          const start = from === null ? 0 : backwards.findIndex(({ name }) => name === from.name) + 1;
          return backwards.slice(start, start + size);
        };
        const read = page(before, null);
        for (;;) {
          const next = page(after, read.at(-1) ?? null);
          if (next.length === 0) break;
          read.push(...next);
        }
        const seen = read.map(({ name }) => name);
        expect(new Set(seen).size).toBe(seen.length);
        for (const { name } of before) expect(seen).toContain(name);
      }),
    ));
});
