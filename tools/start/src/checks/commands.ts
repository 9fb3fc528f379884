import { spawn } from 'node:child_process';
import { boundToParent } from '@centralita/tool-kafka';

export type Ran = { readonly exitCode: number; readonly output: string; readonly stdout: string };

/** Runs a built program to its end, on the Node that runs us, with exactly the environment that is given. */
export const runNode = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  new Promise((resolve, reject) => {
    // Ends with us: nobody waits for a check after Ctrl-C.
    const [command, line] = boundToParent(process.execPath, [script, ...args], 'KILL');
    const child = spawn(command, line, {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output, stdout }));
  });
