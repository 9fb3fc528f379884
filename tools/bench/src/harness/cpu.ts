import { readdirSync, readFileSync } from 'node:fs';

// Linux gives every process its time in ticks of 10 ms; no port of it to other hertz is in use.
const MICROSECONDS_PER_TICK = 10_000;

type Stat = { readonly pid: number; readonly parent: number; readonly ticks: number };

const statOf = (pid: number): Stat | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // Fields 14 to 17 of proc(5): own time in user and kernel mode, then that of children that have ended.
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
    return { pid, parent: fields[1] ?? 0, ticks };
  } catch {
    return null;
  }
};

/** Processor time, in microseconds, that the kernel has counted for a process and all below it, the ended ones included. Linux only, else null. */
export const processorTime = (root: number): number | null => {
  if (process.platform !== 'linux') return null;
  const children = new Map<number, Stat[]>();
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  for (const stat of stats) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat]);
  const below = (pid: number): number => (children.get(pid) ?? []).reduce((sum, stat) => sum + stat.ticks + below(stat.pid), 0);
  const own = stats.find(({ pid }) => pid === root)?.ticks ?? 0;
  return (own + below(root)) * MICROSECONDS_PER_TICK;
};
