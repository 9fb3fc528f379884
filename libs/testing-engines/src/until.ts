import { setTimeout as pause } from 'node:timers/promises';

export type UntilOptions = {
  timeoutMs?: number;
  /** What is waited for, as it completes "waited … for". A function is asked at the end, so it can say what was seen instead. */
  describe?: string | (() => string);
};

/**
 * Polls until the condition gives something truthy and returns that. An error of the condition ends the wait at once: a condition
 * that may fail on the way catches for itself.
 */
export const until = async <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> => {
  const { timeoutMs = 10_000, describe = 'a condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 100)) {
    const result = await condition();
    if (result) return result;
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs} ms for ${typeof describe === 'string' ? describe : describe()}`);
    await pause(wait);
  }
};
