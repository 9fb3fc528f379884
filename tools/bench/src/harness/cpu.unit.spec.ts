import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { parseStat, processorTimes, ticksBelow, type Stat } from './cpu.js';

describe('a line of /proc/<pid>/stat', () => {
  const rest = 'S 41 4242 4242 0 -1 4194304 1000 0 0 0 10 20 3 4 20 0 11 0 123456 1000000 500';

  it('gives the parent, and user and system time of the process and of its ended children', () => {
    expect(parseStat(`4242 (node) ${rest}`)).toEqual({ pid: 4242, parent: 41, ticks: 37 });
  });

  it('is read behind a name that looks like the fields', () => {
    expect(parseStat(`4242 (a (b) R 1 2) 9 9) ${rest}`)).toEqual({ pid: 4242, parent: 41, ticks: 37 });
  });
});

describe('time of a process and all below it', () => {
  const stat = (pid: number, parent: number, ticks: number): Stat => ({ pid, parent, ticks });
  const tree = [stat(1, 0, 1_000), stat(10, 1, 1), stat(11, 10, 20), stat(12, 11, 300), stat(20, 1, 5_000)];

  it('leaves out its parent and its siblings', () => {
    expect(ticksBelow(tree, 10)).toBe(321);
    expect(ticksBelow(tree, 12)).toBe(300);
  });

  it('is nothing for a process that is not there', () => {
    expect(ticksBelow(tree, 99)).toBe(0);
  });

  it('is counted by the kernel, children included', async () => {
    const before = processorTimes({ own: process.pid })?.[0]?.[1];
    if (before === undefined) return expect(process.platform).not.toBe('linux');
    const child = spawn(process.execPath, ['-e', 'for (const end = Date.now() + 300; Date.now() < end; );']);
    await once(child, 'exit');
    const after = processorTimes({ own: process.pid })?.[0]?.[1] ?? 0;
    expect(after - before).toBeGreaterThan(0);
  });
});
