import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNetwork } from './containers.js';

/**
 * Runs a program of ours in a network, a mount table and a process table of its own: podman's bridge, the ports and the processes are
 * seen by nobody else, and whatever becomes of us, the kernel ends all of it with the first process. The shell is that process: it
 * reaps what podman leaves to it. Nothing of the machine's network is there: images and jars must be here before.
 *
 * `hosts`: names beside those of the machine. Closing the program's input asks it to stop.
 */
export const inNamespace = async (
  script: string,
  args: readonly string[],
  options: { readonly hosts: ReadonlyMap<string, string>; readonly signal: AbortSignal },
): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'centralita-namespace-'));
  const hosts = join(folder, 'hosts');
  const machine = await readFile('/etc/hosts', 'utf8').catch(() => '127.0.0.1 localhost\n');
  await writeFile(hosts, `${machine}\n${[...options.hosts].map(([name, ip]) => `${ip} ${name}`).join('\n')}\n`);
  const first = `set -e
ip link set lo up
ip route add local ${serviceNetwork} dev lo
mkdir -p /run/netns /var/lib/cni
mount -t tmpfs tmpfs /run/netns
mount -t tmpfs tmpfs /var/lib/cni
mount --bind "$1" /etc/hosts
shift
set +e
"$@"
exit $?`;
  const child = spawn(
    'unshare',
    [
      ...['--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
      ...['sh', '-c', first, 'sh', hosts, process.execPath, ...process.execArgv, script, ...args],
    ],
    // A group of its own: Ctrl-C is told in order, by the end of its input.
    { stdio: ['pipe', 'inherit', 'inherit'], detached: true },
  );
  const stop = (): void => void child.stdin.end();
  if (options.signal.aborted) stop();
  else options.signal.addEventListener('abort', stop, { once: true });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true });
  }
};
