import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';

let canBind: boolean | undefined;

/**
 * The command line that makes the kernel end `command` when this process dies, however it dies (Linux, util-linux' setpriv; the
 * pid stays that of the command). Elsewhere the command itself: there an owner killed with -9 leaves its engines behind.
 */
export const boundToParent = (
  command: string,
  args: readonly string[],
  signal: 'TERM' | 'INT' | 'KILL' = 'TERM',
): [string, string[]] => {
  canBind ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  return canBind ? ['setpriv', ['--pdeathsig', signal, command, ...args]] : [command, [...args]];
};

export type ChildExit = { code: number | null; signal: NodeJS.Signals | null };

/** A process of ours with its last lines kept for the moment it dies. */
export type Child = {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  exit(): ChildExit | null;
  lastLines(): readonly string[];
};

export type ChildOptions = Omit<SpawnOptions, 'stdio'> & { onLine?: (line: string) => void; keepLines?: number };

/** Starts a process in its own group (a terminal's Ctrl-C reaches only us, who stop in order) and reads its output line by line. */
export const startChild = async (command: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> => {
  const { onLine, keepLines = 40, ...spawnOptions } = options;
  const child = spawn(command, args, { ...spawnOptions, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > keepLines) last.shift();
      onLine?.(line);
    });
  }
  let ended: ChildExit | null = null;
  // 'close', not 'exit': the last lines have been read by then.
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => {
      ended = { code, signal };
      resolve(ended);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return { process: child, pid: child.pid as number, exited, exit: () => ended, lastLines: () => last };
};

/** Asks a process to stop and waits; after `graceMs` it is killed. Resolves when it is gone. */
export const stopChild = async (
  child: Child,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<ChildExit> => {
  const { signal = 'SIGTERM', graceMs = 15_000 } = options;
  if (child.exit() === null) child.process.kill(signal);
  const kill = setTimeout(() => child.process.kill('SIGKILL'), graceMs);
  try {
    return await child.exited;
  } finally {
    clearTimeout(kill);
  }
};
