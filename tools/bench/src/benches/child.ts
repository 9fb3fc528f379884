import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Program = {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Core to run on; where it is null, that of this process. */
  readonly core?: number | null;
};

/** A program of a side, on this Node. Its complaints are shown; it ends with this process. */
export const startProgram = ({ args, env = {}, core = null }: Program): ChildProcess => {
  const node = [process.execPath, '--disable-warning=TimeoutNegativeWarning', ...args];
  const [command = '', ...rest] = core === null ? node : ['taskset', '-c', String(core), ...node];
  const child = spawn(command, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
};

const SHOWN_LINES = 3;
const SHOWN_LENGTH = 300;

/** Shows the first complaints of a service that serves; under load a thousand more say the same. Tells at its end how many there were. */
export const showComplaints = (name: string, child: ChildProcess): void => {
  if (child.stdout === null) return;
  let lines = 0;
  createInterface({ input: child.stdout })
    .on('line', (line) => {
      lines += 1;
      if (lines <= SHOWN_LINES) process.stderr.write(`  ${name}: ${line.slice(0, SHOWN_LENGTH)}\n`);
    })
    .on('close', () => {
      if (lines > SHOWN_LINES) process.stderr.write(`  ${name}: ${lines - SHOWN_LINES} more lines like these\n`);
    });
};

/** Runs it to its end; what it has printed. Throws when it fails. */
export const runProgram = async (program: Program): Promise<string> => {
  const child = startProgram(program);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program.args[0] ?? 'a program'} ended with ${String(code)}`);
  return output;
};
