// Runs the tiers that CI runs and prints, as the last line, how many checks passed and failed over all of them.
// Plain JavaScript without dependencies: it must start on a fresh clone, on the Node that happens to be installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');
const reports = join(root, '.centralita/reports');

const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH}`,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  FORCE_COLOR: '0',
};

// What runs now is asked to end too, and nothing further is run: jest stops its engines, which another process would find running.
let running = null;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted = true;
    if (running === null) process.exit(130);
    running.kill(signal);
  });

/** Runs a command, shows its output, resolves to its exit code and output. */
const run = (command, args, options = {}) =>
  new Promise((resolve) => {
    const child = (running = spawn(command, args, {
      cwd: root,
      env: { ...env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    }));
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
        if (!options.quiet) process.stdout.write(chunk);
      });
    if (options.input !== undefined) child.stdin.end(options.input);
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => {
      running = null;
      if (interrupted) process.exit(130);
      resolve({ code: code ?? 1, output });
    });
  });

const install = () => {
  const marker = join(root, 'node_modules/.package-lock.json');
  const stale = !existsSync(marker) || statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
  if (!stale) return;
  process.stdout.write('Installing dependencies (npm ci)…\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

const check = (name, condition) => ({ name, passed: condition ? 1 : 0, failed: condition ? 0 : 1 });

/** A tier of jest specs; its counts come from the reporter's file, not from its text. */
const jest = async (tier, paths) => {
  mkdirSync(reports, { recursive: true });
  const file = join(reports, `${tier}.json`);
  rmSync(file, { force: true });
  const { code } = await run('jest', ['--silent', '--json', `--outputFile=${file}`, '--forceExit=false', ...paths], {
    env: { TEST_TIER: tier, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' },
    quiet: false,
  });
  if (!existsSync(file)) return { name: tier, passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  // jest can exit non-zero with every test green (a teardown that failed); that is a failure too.
  return { name: tier, passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
};

/** Counts of a program that ends with the line `N passed, N failed`. */
const counted = (name, { code, output }) => {
  const [, passed = 0, failed = 1] = /^(\d+) passed, (\d+) failed$/m.exec(output)?.map(Number) ?? [];
  return { name, passed, failed: failed === 0 && code !== 0 ? 1 : failed };
};

const seededViolation = "import { openEventLog } from '@centralita/event-log';\nexport const log = openEventLog;\n";

const tiers = {
  build: async () => check('build', (await run('nx', ['run-many', '-t', 'build'])).code === 0),
  lint: async () => {
    // Without a project graph the boundary rule is skipped and everything passes: build the graph, then prove that the rule bites.
    await run('nx', ['graph', '--file=.nx/graph.json'], { quiet: true });
    const seeded = await run(
      'eslint',
      ['-c', 'tools/test/boundaries.eslint.mjs', '--stdin', '--stdin-filename', 'libs/domain/ledger/src/seeded-violation.ts'],
      {
        input: seededViolation,
        quiet: true,
      },
    );
    const lint = await run('eslint', ['.']);
    const format = await run('prettier', ['--check', '--log-level', 'warn', '.']);
    return sum('lint', [
      check('boundaries', seeded.code === 1 && seeded.output.includes('enforce-module-boundaries')),
      check('eslint', lint.code === 0 && !/skipp/i.test(lint.output)),
      check('prettier', format.code === 0),
      check('lockfile', (await run('node', ['tools/lockfile/complete.mjs', '--check'])).code === 0),
    ]);
  },
  types: async () =>
    sum('types', [
      check('tsc', (await run('tsc', ['--noEmit'])).code === 0),
      check('tsc console', (await run('tsc', ['--noEmit', '-p', 'apps/console'])).code === 0),
    ]),
  unit: (paths) => jest('unit', paths),
  int: (paths) => jest('int', paths),
  e2e: (paths) => jest('e2e', paths),
  faults: async (paths) => counted('faults', await run('node', ['tools/faults/dist/main.js', '--bounded', ...paths])),
};

const sum = (name, parts) => {
  for (const part of parts) process.stdout.write(`  ${part.failed === 0 ? 'ok  ' : 'FAIL'} ${part.name}\n`);
  return {
    name,
    passed: parts.reduce((total, part) => total + part.passed, 0),
    failed: parts.reduce((total, part) => total + part.failed, 0),
  };
};

const [only, ...paths] = process.argv.slice(2);
if (only && !tiers[only]) {
  process.stderr.write(`Unknown tier ${only}. Tiers: ${Object.keys(tiers).join(', ')}\n`);
  process.exit(64);
}
install();
const results = [];
for (const [name, tier] of Object.entries(tiers)) {
  if (only && only !== name) continue;
  process.stdout.write(`\n== ${name}\n`);
  const started = Date.now();
  results.push({ ...(await tier(paths)), seconds: (Date.now() - started) / 1000 });
}
process.stdout.write('\n');
for (const { name, passed, failed, seconds } of results)
  process.stdout.write(
    `${name.padEnd(8)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${seconds.toFixed(1).padStart(7)} s\n`,
  );
const passed = results.reduce((total, result) => total + result.passed, 0);
const failed = results.reduce((total, result) => total + result.failed, 0);
process.exitCode = failed === 0 ? 0 : 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
