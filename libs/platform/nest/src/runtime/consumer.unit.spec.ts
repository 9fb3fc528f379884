import { describe, expect, it } from '@jest/globals';
import { watchPolls } from './consumer.js';
import { Health } from './health.js';

describe('a consumer is part of readiness', () => {
  const ready = async (lastPollAt: number | null, age: number): Promise<string> => {
    let now = 1_000_000;
    const health = new Health();
    health.started();
    watchPolls(
      health,
      () => lastPollAt,
      () => now,
    );
    now += age;
    const { status, failing } = await health.ready();
    return failing.consumer ?? status;
  };

  it('not before its first poll may be expected: joining waits for members that died', async () => {
    expect(await ready(null, 60_000)).toBe('ok');
    expect(await ready(null, 91_000)).toBe('no poll for 91 s');
  });

  it('and from then on by the age of its last poll', async () => {
    expect(await ready(1_080_000, 100_000)).toBe('ok');
    expect(await ready(1_000_000, 100_000)).toBe('no poll for 100 s');
  });
});
