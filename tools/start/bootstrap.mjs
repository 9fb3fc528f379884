// First command of a fresh clone. Plain JavaScript without dependencies, for whatever Node is installed: it installs what is missing,
// builds, and hands over to the launcher, or to the fault tier, on the Node that comes with the dependencies.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const state = join(root, '.centralita');
const [command = 'start', ...args] = process.argv.slice(2);

const fail = (message, code = 1) => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};

const env = {
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
};

// What runs now ends before this process does, however this one was asked to end.
let stopRunning = null;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted = true;
    if (stopRunning === null) process.exit(130);
    stopRunning(signal);
  });

/**
 * Runs a program to its end and resolves to its exit code. After a Ctrl-C it ends this process too, unless it is the `last`. All others
 * get a process group of their own: npm and nx leave what they have started behind, and npm minds no signal while it runs scripts.
 */
const run = (program, programArgs, { onStart, last = false, ...options }) =>
  new Promise((resolve) => {
    const child = spawn(program, programArgs, { cwd: root, env, detached: !last, ...options });
    const kill = (signal) => {
      try {
        process.kill(last ? child.pid : -child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    stopRunning = (signal) => {
      kill(signal);
      if (!last) setTimeout(() => kill('SIGKILL'), 2_000).unref();
    };
    onStart?.(child);
    child.on('error', (error) => fail(`${program} cannot be run: ${error.message}`));
    child.on('close', (code, signal) => {
      stopRunning = null;
      if (interrupted && !last) {
        kill('SIGKILL');
        process.exit(130);
      }
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });

const install = async () => {
  const marker = join(root, 'node_modules/.package-lock.json');
  const stale = !existsSync(marker) || statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
  if (!stale) return;
  process.stdout.write('installing dependencies (npm ci)\n');
  const code = await run('npm', ['ci', '--no-audit', '--no-fund'], { env: process.env, stdio: 'inherit' });
  if (code !== 0) fail('npm ci failed: its messages are above', code);
};

const build = async () => {
  const started = Date.now();
  process.stdout.write('building ');
  let output = '';
  const code = await run('nx', ['run-many', '-t', 'build', '--output-style=static'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    onStart: ({ stdout, stderr }) => {
      for (const stream of [stdout, stderr]) stream.on('data', (chunk) => (output += chunk));
    },
  });
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  if (code !== 0) fail(`${output}\nthe build failed`, code);
};

const scripts = {
  start: 'tools/start/dist/main.js',
  engines: 'tools/start/dist/engines.js',
  faults: 'tools/faults/dist/main.js',
  bench: 'tools/bench/dist/main.js',
  deploy: 'tools/deploy/dist/smoke/main.js',
  rehearse: 'tools/start/dist/rehearse/main.js',
};

const launch = async (script) => {
  const node = join(root, 'node_modules/node/bin/node');
  // kafkajs arms timers with negative delays; Node says so at every start.
  const options = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];
  const program = existsSync(node) ? node : process.execPath;
  const code = await run(program, [...options, join(root, script), ...args], {
    stdio: 'inherit',
    last: true,
  });
  process.exit(code);
};

const reset = () => {
  for (const folder of [state, join(state, 'once')]) {
    const file = join(folder, 'launcher.pid');
    if (!existsSync(file)) continue;
    const pid = Number(readFileSync(file, 'utf8'));
    try {
      process.kill(pid, 0);
      fail(`npm start is running (pid ${pid}): stop it first`);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  const given = [state, join(state, 'once')].some((folder) => existsSync(join(folder, 'given.json')));
  for (const folder of [state, join(state, 'once')]) {
    const moved = join(folder, 'postgres/elsewhere');
    if (existsSync(moved)) rmSync(readFileSync(moved, 'utf8'), { recursive: true, force: true });
  }
  rmSync(state, { recursive: true, force: true });
  process.stdout.write('removed .centralita: the next start begins with nothing\n');
  if (given)
    process.stdout.write(
      'what a start has made on the Kafka or Postgres that it was given is still there: drop databases and topics\n',
    );
};

if (command === 'reset') reset();
else if (command in scripts) {
  await install();
  await build();
  await launch(scripts[command]);
} else fail(`unknown command ${command}: ${Object.keys(scripts).join(', ')} or reset`, 64);
