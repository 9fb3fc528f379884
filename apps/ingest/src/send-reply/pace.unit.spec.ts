import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.js';

describe('a pace', () => {
  it('spaces the turns of one name and not those of others', () => {
    let now = 1000;
    const sut = new Pace(50, () => now);
    expect([sut.take('a'), sut.take('a'), sut.take('b'), sut.take('a')]).toEqual([0, 50, 0, 100]);
    now = 1120;
    expect(sut.take('a')).toBe(30);
    now = 5000;
    expect(sut.take('a')).toBe(0);
  });

  it('without an interval never waits', () => {
    const sut = new Pace(0, () => 7);
    expect([sut.take('a'), sut.take('a')]).toEqual([0, 0]);
  });
});
