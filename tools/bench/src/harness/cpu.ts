import { readdirSync, readFileSync } from 'node:fs';

// Linux gives every process its time in ticks of 10 ms; no port of it to other hertz is in use.
const MICROSECONDS_PER_TICK = 10_000;

export type Stat = { readonly pid: number; readonly parent: number; readonly ticks: number };

/** A line of `/proc/<pid>/stat`. The name, in brackets, may hold anything, brackets and spaces included. */
export const parseStat = (line: string): Stat => {
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  // Fields 14 to 17 of proc(5): own time in user and kernel mode, then that of children that have ended.
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
  return { pid: Number.parseInt(line, 10), parent: fields[1] ?? 0, ticks };
};

/** Ticks of a process and all below it. */
export const ticksBelow = (stats: readonly Stat[], root: number): number => {
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const below = (pid: number): number => (children.get(pid) ?? []).reduce((sum, stat) => sum + stat.ticks + below(stat.pid), 0);
  return (stats.find(({ pid }) => pid === root)?.ticks ?? 0) + below(root);
};

const statOf = (pid: string): Stat[] => {
  try {
    return [parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
  } catch {
    // It has ended since its name was read.
    return [];
  }
};

/** Processor times, in microseconds, that the kernel has counted for processes and all below them, the ended ones included. Linux only, else null. */
export const processorTimes = (roots: Readonly<Record<string, number>>): (readonly [name: string, time: number])[] | null => {
  if (process.platform !== 'linux') return null;
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(name) : []));
  return Object.entries(roots).map(([name, pid]) => [name, ticksBelow(stats, pid) * MICROSECONDS_PER_TICK]);
};

export const processorTime = (root: number): number | null => processorTimes({ root })?.[0]?.[1] ?? null;
