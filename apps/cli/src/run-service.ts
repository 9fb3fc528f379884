import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import type { RanService } from './io.js';

/** Programs stand side by side in a build of all; an image holds one alone. */
const scriptOf = (service: string): string => fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));

const linesOf = (output: string): string[] => output.split('\n').filter((line) => line !== '');

/** See {@link Io.runService}. What is sent to this process while it waits is sent on. */
export const runService = async (service: string, args: readonly string[]): Promise<RanService | null> => {
  const script = scriptOf(service);
  if (!existsSync(script)) return null;
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  try {
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    const [exitCode, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { exitCode, out: linesOf(out), err: linesOf(err) };
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward);
  }
};
