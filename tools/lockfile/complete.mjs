// npm leaves packages of other platforms out of the lockfile when the registry at hand does not carry them, and then `npm ci` refuses the
// lockfile ("Missing: … from lock file"). This adds them as npm itself writes an optional package, with version, os and cpu but without
// an integrity hash. Run it after each `npm install`: `npm run lockfile`. With --check it changes nothing and names what is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = {
  darwin: 'darwin',
  linux: 'linux',
  win32: 'win32',
  windows: 'win32',
  freebsd: 'freebsd',
  openbsd: 'openbsd',
  netbsd: 'netbsd',
  android: 'android',
  sunos: 'sunos',
  aix: 'aix',
  openharmony: 'openharmony',
};
const processors = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/** Where npm looks for a dependency of the package at `path`, nearest first. */
const places = (path, name) => {
  const parts = path.split('node_modules/');
  return [
    `${path}/node_modules/${name}`,
    ...parts.map((_, index) => `${parts.slice(0, index).join('node_modules/')}node_modules/${name}`),
  ].sort((a, b) => b.length - a.length);
};

const missing = [];
for (const [path, entry] of Object.entries({ ...lock.packages }))
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = places(path, name).find((place) => lock.packages[place]);
    if (!/^\d/.test(version) || (found && lock.packages[found].version === version)) continue;
    const words = name.split(/[-/]/);
    const os = words.map((word) => systems[word]).find(Boolean);
    if (!os) continue;
    const cpu = words
      .map((word) => processors.find((one) => word === one || (one === 'arm' && word.startsWith('arm') && word !== 'arm64')))
      .find(Boolean);
    const libc = words.includes('musl')
      ? ['musl']
      : os === 'linux' && words.some((word) => word.startsWith('gnu'))
        ? ['glibc']
        : undefined;
    missing.push(`${name}@${version}`);
    lock.packages[found ? `${path}/node_modules/${name}` : `node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os: [os],
    };
  }

if (process.argv.includes('--check')) {
  for (const name of missing) process.stderr.write(`missing in the lockfile: ${name} (npm run lockfile)\n`);
  process.exitCode = missing.length === 0 ? 0 : 1;
} else if (missing.length > 0) {
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : a.localeCompare(b, 'en'))),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`${missing.length} packages of other platforms added\n`);
}
