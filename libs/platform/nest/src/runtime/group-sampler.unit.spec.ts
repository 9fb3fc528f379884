import { describe, expect, it } from '@jest/globals';
import { LagClock } from './group-sampler.js';

const at = (next: bigint, end: bigint, partition = 0) => ({ topic: 't', partition, next, end });

describe(LagClock.name, () => {
  it('is 0 while everything is applied, however long nothing came', () => {
    const sut = new LagClock();
    expect(sut.seconds([at(5n, 5n)], 0)).toBe(0);
    expect(sut.seconds([at(5n, 5n)], 3_600_000)).toBe(0);
    expect(sut.seconds([at(5n, 6n)], 3_605_000)).toBe(0);
  });

  it('grows while a group stands still, and follows the oldest record that it has not applied', () => {
    const sut = new LagClock();
    sut.seconds([at(0n, 10n)], 0);
    sut.seconds([at(0n, 20n)], 5_000);
    expect(sut.seconds([at(0n, 20n)], 10_000)).toBe(10);
    expect(sut.seconds([at(9n, 20n)], 15_000)).toBe(15);
    expect(sut.seconds([at(10n, 20n)], 20_000)).toBe(15);
    expect(sut.seconds([at(20n, 20n)], 25_000)).toBe(0);
  });

  it('tells the oldest of all partitions, and keeps it however long the others take', () => {
    const sut = new LagClock();
    sut.seconds([at(0n, 1n), at(0n, 0n, 1)], 0);
    for (let n = 1; n <= 2000; n += 1) sut.seconds([at(0n, BigInt(n)), at(BigInt(n), BigInt(n), 1)], n * 1000);
    expect(sut.seconds([at(0n, 2001n)], 2_001_000)).toBe(2001);
  });
});
