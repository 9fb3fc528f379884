import { spawn } from 'node:child_process';

export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Gets every line of both streams while the command runs. */
  readonly onLine?: (line: string) => void;
};

/** Runs a program to its end and gives what it said, whatever its status. */
export const tryCommand = (program: string, args: readonly string[], options: CommandOptions = {}): Promise<Output> =>
  new Promise((resolve, reject) => {
    const { onLine, ...spawnOptions } = options;
    const child = spawn(program, [...args], { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        text[stream] += chunk.toString();
        if (onLine) for (const line of chunk.toString().split('\n')) if (line.trim() !== '') onLine(line);
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, ...text }));
  });

/** The same; throws the last lines of what it wrote when it fails. Resolves to its standard output without the last newline. */
export const command = async (program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> => {
  const { code, stdout, stderr } = await tryCommand(program, args, options);
  if (code === 0) return stdout.trimEnd();
  const last = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`${program} ${args.slice(0, 4).join(' ')} … ended with ${code}:\n${last}`);
};
