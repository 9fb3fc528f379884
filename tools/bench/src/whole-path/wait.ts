import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 20;
const LIMIT_MS = 600_000;

/**
 * Looks every 20 ms, so that a round ends when its work does. Throws after ten minutes; `describe` says what was not there.
 */
export const soon = async (condition: () => boolean | Promise<boolean>, describe: () => string): Promise<void> => {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${LIMIT_MS / 1_000} s: ${describe()}`);
    await pause(LOOK_MS);
  }
};
