import { describe, expect, it } from '@jest/globals';
import { until } from './until.js';

describe('until', () => {
  it('gives what the condition gave at last', async () => {
    let calls = 0;
    expect(await until(() => (calls += 1) > 3 && calls)).toBe(4);
  });

  it('says what it waited for, and what was seen instead', async () => {
    const seen: number[] = [];
    const waiting = until(() => void seen.push(seen.length), {
      timeoutMs: 30,
      describe: () => `three, saw ${seen.length > 0 ? 'some' : 'none'}`,
    });
    await expect(waiting).rejects.toThrow('waited 30 ms for three, saw some');
  });

  it('ends at an error of the condition', async () => {
    const waiting = until(() => Promise.reject(new Error('broken')), { timeoutMs: 5_000 });
    await expect(waiting).rejects.toThrow('broken');
  });
});
