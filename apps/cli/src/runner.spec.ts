import type { Io } from './io.js';
import { run } from './program.js';

export type Ran = { exitCode: number; out: string[]; err: string[]; written: Record<string, string> };

/** Runs a command line over files that exist only in the test, without a network unless given one. */
export const centralita = async (
  argv: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
  outside: Partial<Pick<Io, 'fetch' | 'env' | 'runService'>> = {},
): Promise<Ran> => {
  const ran: Ran = { exitCode: -1, out: [], err: [], written: {} };
  ran.exitCode = await run(argv, {
    readFile: async (path) => {
      const file = files[path];
      if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return typeof file === 'string' ? new TextEncoder().encode(file) : file;
    },
    async *readLines(path) {
      const file = files[path];
      if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      yield* (typeof file === 'string' ? file : new TextDecoder().decode(file)).split('\n');
    },
    openFile: async (path) => {
      ran.written[path] = '';
      return { write: async (text) => void (ran.written[path] += text), close: async () => undefined };
    },
    writeFile: async (path, text) => {
      ran.written[path] = text;
    },
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } })),
    env: {},
    runService: async () => null,
    ...outside,
    out: (line) => void ran.out.push(line),
    err: (line) => void ran.err.push(line),
  });
  return ran;
};
