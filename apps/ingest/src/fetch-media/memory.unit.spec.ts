import { describe, expect, it } from '@jest/globals';
import { MediaMemory } from './memory.js';

const MIB = 1024 * 1024;
/** Lets everything that could go on go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const reader = new AbortController().signal;

describe('memory for media', () => {
  it('lets fetches in, in the order of asking, as long as their copies have room', async () => {
    const memory = new MediaMemory(500 * MIB);
    const begun: number[] = [];
    const ends = [60, 40, 10, 1].map((size) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const work = memory.whileFetching(size * MIB, () => (begun.push(size), promise));
      return { work, resolve, reject };
    });
    await settle();
    expect(begun).toEqual([60, 40]);
    ends[1]!.reject(new Error('the provider went away'));
    await expect(ends[1]!.work).rejects.toThrow('went away');
    await settle();
    expect(begun).toEqual([60, 40, 10, 1]);
    for (const { resolve } of ends) resolve();
  });

  it('gives what is bigger than all of it all of it', async () => {
    const memory = new MediaMemory(500 * MIB);
    expect(await memory.whileFetching(10_000 * MIB, () => Promise.resolve('fetched'))).toBe('fetched');
    expect(await memory.whileFetching(0, () => Promise.resolve('empty'))).toBe('empty');
  });

  it('is held by a reader until it has gone, and nobody who fetches is in its way', async () => {
    const memory = new MediaMemory(500 * MIB);
    const fetching = memory.whileFetching(100 * MIB, () => new Promise<never>(() => undefined));
    const first = new AbortController();
    await memory.untilReadable(100 * MIB, first.signal);
    let second = false;
    void memory.untilReadable(1, reader).then(() => (second = true));
    await settle();
    expect(second).toBe(false);
    first.abort();
    await settle();
    expect(second).toBe(true);
    expect(fetching).toBeInstanceOf(Promise);
  });

  it('is not held by a reader who went while waiting', async () => {
    const memory = new MediaMemory(500 * MIB);
    const first = new AbortController();
    await memory.untilReadable(100 * MIB, first.signal);
    const waiting = memory.untilReadable(100 * MIB, AbortSignal.abort());
    first.abort();
    await waiting;
    await memory.untilReadable(100 * MIB, reader);
  });
});
