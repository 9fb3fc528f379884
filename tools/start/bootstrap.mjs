// First command of a fresh clone. Plain JavaScript without dependencies, for whatever Node is installed: it installs what is missing,
// builds, and hands over to the launcher on the Node that comes with the dependencies.
import { spawn, spawnSync } from 'node:child_process';
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

const install = () => {
  const marker = join(root, 'node_modules/.package-lock.json');
  const stale = !existsSync(marker) || statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
  if (!stale) return;
  process.stdout.write('installing dependencies (npm ci)\n');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (error !== undefined) fail(`npm is not on the PATH: ${error.message}`);
  if (status !== 0) fail('npm ci failed: its messages are above', status ?? 1);
};

const env = {
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
};

const build = () => {
  const started = Date.now();
  process.stdout.write('building ');
  const { status, stdout, stderr } = spawnSync('nx', ['run-many', '-t', 'build', '--output-style=static'], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  if (status !== 0) fail(`${stdout ?? ''}${stderr ?? ''}\nthe build failed`, status ?? 1);
};

const launch = (script) => {
  const node = join(root, 'node_modules/node/bin/node');
  // kafkajs arms timers with negative delays; Node says so at every start.
  const options = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];
  const child = spawn(existsSync(node) ? node : process.execPath, [...options, join(root, 'tools/start/dist', script), ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  // The launcher stops everything in order and then ends; until then this process waits. A terminal signals both of us, so the launcher
  // may hear the same Ctrl-C twice: it minds.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
};

const reset = () => {
  const running = join(state, 'launcher.pid');
  if (existsSync(running)) {
    const pid = Number(readFileSync(running, 'utf8'));
    try {
      process.kill(pid, 0);
      fail(`npm start is running (pid ${pid}): stop it first`);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  const moved = join(state, 'postgres/elsewhere');
  if (existsSync(moved)) rmSync(readFileSync(moved, 'utf8'), { recursive: true, force: true });
  rmSync(state, { recursive: true, force: true });
  process.stdout.write('removed .centralita: the next start begins with nothing\n');
};

if (command === 'reset') reset();
else if (command === 'start' || command === 'engines') {
  install();
  build();
  launch(command === 'start' ? 'main.js' : 'engines.js');
} else fail(`unknown command ${command}: start, engines or reset`, 64);
