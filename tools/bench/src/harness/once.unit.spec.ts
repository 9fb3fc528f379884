import { describe, expect, it } from '@jest/globals';
import { once } from './once.js';

describe('work that is done once', () => {
  it('is not done again, whoever asks, before or after its end', async () => {
    let times = 0;
    const sut = once(async () => (times += 1));
    expect(await Promise.all([sut(), sut()])).toEqual([1, 1]);
    expect(await sut()).toBe(1);
    expect(times).toBe(1);
  });

  it('tells everybody that it failed', async () => {
    const sut = once(() => Promise.reject(new Error('the folder is gone')));
    await expect(sut()).rejects.toThrow('the folder is gone');
    await expect(sut()).rejects.toThrow('the folder is gone');
  });
});
