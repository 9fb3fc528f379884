import { describe, expect, it } from '@jest/globals';
import { until } from '@centralita/testing-engines';
import { Pool } from './pool.js';

describe('a pool', () => {
  it('does the work of one key in turn, and no more than its limit at once', async () => {
    const sut = new Pool(2);
    const [under, most, order] = [new Set<string>(), [] as number[], [] as string[]];
    const ends: (() => void)[] = [];
    for (const name of ['a1', 'a2', 'b1', 'c1'])
      sut.add(name.charAt(0), async () => {
        expect([...under].some((other) => other.charAt(0) === name.charAt(0))).toBe(false);
        under.add(name);
        most.push(under.size);
        await new Promise<void>((resolve) => ends.push(resolve));
        under.delete(name);
        order.push(name);
      });
    for (let done = 0; done < 4; done += 1) {
      await until(() => ends.length > done);
      ends[done]?.();
      await until(() => sut.done === done + 1);
    }
    expect(Math.max(...most)).toBe(2);
    expect(order.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2']);
  });

  it('tells of the first failure', async () => {
    const sut = new Pool(1);
    sut.add('a', () => Promise.reject(new Error('refused')));
    const failed = (): boolean => {
      try {
        return sut.done < 0;
      } catch (error) {
        return (error as Error).message === 'refused';
      }
    };
    await until(failed);
  });
});
