// Base images for a machine that can pull none, made of Debian packages and the Node of npm's package `node`, as distroless ones are:
//   base   the C libraries, certificates, time zones and node: no shell, no package manager
//   build  the same with a shell, coreutils and npm, for the build stage
// Run as root, with apt's lists up to date: node docker/base.mjs NAME_OF_BASE NAME_OF_BUILD (buildah's storage is that of the caller).
// The versions are those that apt knows now; `/var/lib/dpkg/status.d` says which, where scanners look for it.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [base, build] = process.argv.slice(2);
if (!base || !build) {
  process.stderr.write('usage: node docker/base.mjs NAME_OF_BASE NAME_OF_BUILD\n');
  process.exit(64);
}
const packages = {
  base: ['base-files', 'ca-certificates', 'libc6', 'libgcc-s1', 'libstdc++6', 'netbase', 'tzdata'],
  build: [
    ...[
      'bash',
      'coreutils',
      'dash',
      'debianutils',
      'findutils',
      'grep',
      'sed',
      'libacl1',
      'libattr1',
      'libgmp10',
      'libpcre2-8-0',
    ],
    ...['libselinux1', 'libtinfo6'],
  ],
};
const node = realpathSync(join(root, 'node_modules/node/bin/node'));
const npm = dirname(dirname(realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())));

const work = mkdtempSync(join(tmpdir(), 'centralita-base-'));
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options }).trim();

/** A root file system with these packages, unpacked without their scripts. */
const unpacked = [];
const unpack = (names, folder) => {
  const debs = join(work, 'debs');
  mkdirSync(debs, { recursive: true });
  run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...names], { cwd: debs });
  for (const top of ['bin', 'lib', 'lib64', 'sbin']) {
    mkdirSync(join(folder, 'usr', top), { recursive: true });
    if (!existsSync(join(folder, top))) symlinkSync(`usr/${top}`, join(folder, top));
  }
  mkdirSync(join(folder, 'var/lib/dpkg/status.d'), { recursive: true });
  for (const deb of readdirSync(debs).sort()) {
    const file = join(debs, deb);
    // The links of a merged /usr must not be replaced by the folders of the packages.
    run('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C "$2"',
      'sh',
      file,
      folder,
    ]);
    const control = run('dpkg-deb', ['--field', file]);
    const [, name] = /^Package: (.+)$/m.exec(control);
    writeFileSync(join(folder, 'var/lib/dpkg/status.d', name), `${control}\n`);
    unpacked.push({ name, version: /^Version: (.+)$/m.exec(control)[1] });
  }
  rmSync(debs, { recursive: true });
};

const furnish = (folder) => {
  const write = (path, text, mode = 0o644) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode });
    chmodSync(join(folder, path), mode);
  };
  const authorities = join(folder, 'usr/share/ca-certificates/mozilla');
  const bundle = readdirSync(authorities)
    .sort()
    .map((name) => readFileSync(join(authorities, name), 'utf8').trimEnd());
  write('etc/ssl/certs/ca-certificates.crt', `${bundle.join('\n')}\n`);
  write('etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n');
  write('etc/group', 'root:x:0:\ntty:x:5:\nnonroot:x:65532:\n');
  write('etc/nsswitch.conf', 'hosts: files dns\n');
  cpSync(node, join(folder, 'usr/local/bin/node'));
  chmodSync(join(folder, 'usr/local/bin/node'), 0o755);
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  for (const idle of [
    'usr/share/man',
    'usr/share/locale',
    'usr/share/info',
    'usr/share/lintian',
    'usr/lib/x86_64-linux-gnu/gconv',
  ])
    rmSync(join(folder, idle), { recursive: true, force: true });
};

const commit = (folder, name, config) => {
  const container = run('buildah', ['from', 'scratch']);
  run('buildah', ['copy', '--quiet', container, `${folder}/`, '/']);
  run('buildah', ['config', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', ...config, container]);
  run('buildah', ['commit', '--quiet', '--timestamp', '0', '--rm', container, name]);
};

try {
  const slim = join(work, 'base');
  unpack(packages.base, slim);
  furnish(slim);
  commit(slim, base, ['--user', '65532:65532']);

  // What is in the base, for bills of materials.
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/node/package.json'), 'utf8'));
  process.stdout.write(`${JSON.stringify({ node: version, packages: unpacked }, null, 2)}\n`);

  const full = join(work, 'build');
  unpack([...packages.base, ...packages.build], full);
  furnish(full);
  if (!existsSync(join(full, 'usr/bin/sh'))) symlinkSync('dash', join(full, 'usr/bin/sh'));
  cpSync(npm, join(full, 'usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(full, 'usr/local/bin', name));
  // A machine behind a proxy trusts its authority; the build does what the machine does, the images do not.
  const trusted = '/etc/ssl/certs/ca-certificates.crt';
  if (existsSync(trusted)) cpSync(trusted, join(full, 'etc/ssl/certs/ca-certificates.crt'));
  commit(full, build, ['--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt']);
} finally {
  rmSync(work, { recursive: true, force: true });
}
