import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.js';

describe('a pace', () => {
  it('spaces the turns of one name and not those of others', () => {
    let now = 1000;
    const sut = new Pace(50, 1, () => now);
    expect([sut.take('a'), sut.take('a'), sut.take('b'), sut.take('a')]).toEqual([0, 50, 0, 100]);
    now = 1120;
    expect(sut.take('a')).toBe(30);
    now = 5000;
    expect(sut.take('a')).toBe(0);
  });

  it('lets a burst pass, which borrows from the future', () => {
    let now = 0;
    const sut = new Pace(6000, 45, () => now);
    expect(Array.from({ length: 45 }, () => sut.take('a'))).toEqual(Array.from({ length: 45 }, () => 0));
    expect([sut.wait('a'), sut.wait('b')]).toEqual([6000, 0]);
    now = 6000;
    expect([sut.take('a'), sut.wait('a')]).toEqual([0, 6000]);
    // All of it is paid back: 46 turns of six seconds.
    now = 46 * 6000;
    expect(Array.from({ length: 45 }, () => sut.take('a')).every((wait) => wait === 0)).toBe(true);
    expect(sut.wait('a')).toBe(6000);
  });

  it('takes nothing by looking', () => {
    const sut = new Pace(50, 1, () => 7);
    expect([sut.wait('a'), sut.wait('a'), sut.take('a'), sut.wait('a')]).toEqual([0, 0, 0, 50]);
  });

  it('without an interval never waits', () => {
    const sut = new Pace(0, 1, () => 7);
    expect([sut.take('a'), sut.take('a')]).toEqual([0, 0]);
  });
});
