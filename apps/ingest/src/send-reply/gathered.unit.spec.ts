import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { Gathered } from './gathered.js';

describe(Gathered.name, () => {
  it('makes together what is asked for while a run is under way, each key apart, and gives each its own result', async () => {
    const runs: string[] = [];
    const gate = Promise.withResolvers<void>();
    const sut = new Gathered<number, number>(async (key, items) => {
      runs.push(`${key} ${items.join()}`);
      if (runs.length === 1) await gate.promise;
      return items.map((item) => item * 10);
    });
    const first = sut.add('a', 1);
    await new Promise((resolve) => setImmediate(resolve));
    const others = [sut.add('a', 2), sut.add('a', 3), sut.add('b', 4)];
    expect(await others[2]).toBe(40);
    gate.resolve();
    expect(await Promise.all([first, ...others])).toEqual([10, 20, 30, 40]);
    expect(runs).toEqual(['a 1', 'b 4', 'a 2,3']);
    expect(await sut.add('a', 5)).toBe(50);
  });

  it('lets only the item fail that cannot be done, and all when nothing can be done now', async () => {
    let reachable = true;
    const runs: number[] = [];
    const sut = new Gathered<string, string>(async (_key, items) => {
      runs.push(items.length);
      if (!reachable) throw new PlatformError('DATABASE_UNAVAILABLE', 'not now');
      if (items.includes('bad')) throw new Error('bad');
      return items;
    });
    const outcomes = async (...items: string[]): Promise<string[]> =>
      (await Promise.allSettled(items.map((item) => sut.add('a', item)))).map(({ status }) => status);
    expect(await outcomes('good', 'bad', 'fine')).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(runs.splice(0)).toEqual([3, 1, 1, 1]);
    reachable = false;
    expect(await outcomes('good', 'fine')).toEqual(['rejected', 'rejected']);
    expect(runs).toEqual([2]);
  });
});
