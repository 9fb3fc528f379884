// What one app needs to run, and nothing else: its own built code, the workspace packages that this imports, and the third-party packages
// that any of them imports, with theirs by the lockfile. Run in the build stage of the Dockerfile: node docker/closure.mjs APP FOLDER.
// FOLDER/vendor and FOLDER/own become one layer each, the same bytes for the same input: order, modes and times are fixed here.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials } from './sbom.mjs';

const root = process.env.SOURCE_ROOT ?? join(dirname(fileURLToPath(import.meta.url)), '..');
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
const [app, out] = process.argv.slice(2);

const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};
if (!app || !out) fail('usage: node docker/closure.mjs APP FOLDER');
if (!existsSync(join(root, 'apps', app, 'dist', 'main.js')))
  fail(`there is no built app ${app}: ${readdirSync(join(root, 'apps')).join(', ')}`);

const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const lock = read('package-lock.json').packages;

/** Files below a folder, in an order that does not hang on the file system. */
const filesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) return [];
      return entry.isDirectory() ? filesOf(path) : [path];
    });

const imports = [
  /(?:^|\n)\s*import\s*['"]([^'"\n]+)['"]/g,
  /(?:^|\n)\s*(?:import|export)\b[^'"();=]*?\bfrom\s*['"]([^'"\n]+)['"]/g,
  /\bimport\(\s*['"]([^'"\n]+)['"]/g,
  /\brequire\(\s*['"]([^'"\n]+)['"]/g,
];
const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Names of packages that the built code of a workspace package imports. */
const importedBy = (folder) => {
  const names = new Set();
  for (const file of filesOf(join(root, folder, 'dist')).filter((name) => /\.[cm]?js$/.test(name))) {
    const text = readFileSync(file, 'utf8');
    for (const pattern of imports)
      for (const [, specifier] of text.matchAll(pattern))
        if (!/^[./]|^node:/.test(specifier) && !builtinModules.includes(specifier)) names.add(packageOf(specifier));
  }
  return [...names].sort();
};

/** Where the lockfile has put what `name` means to a package: beside it, or beside one of the folders above. */
const resolve = (from, name) => {
  for (let folder = from; ; folder = folder.includes('/') ? dirname(folder) : '') {
    const path = join(folder, 'node_modules', name);
    if (lock[path]) return path;
    if (folder === '') return null;
  }
};

const listed = (list, value) => {
  if (!list) return true;
  const refused = list.filter((one) => one.startsWith('!'));
  return refused.length > 0 ? !refused.includes(`!${value}`) : list.includes(value);
};
const fits = ({ os, cpu, libc }) => listed(os, process.platform) && listed(cpu, process.arch) && listed(libc, 'glibc');

const own = new Map(); // workspace folder -> package.json
const vendor = new Map(); // path in the lockfile -> paths of what it depends on

const allowed = /^type:(contract|domain|platform|lib|shared)$/;
const takeOwn = (folder, importer) => {
  if (own.has(folder)) return;
  const manifest = read(`${folder}/package.json`);
  const type = manifest.nx?.tags?.find((tag) => tag.startsWith('type:'));
  if (importer !== null && !allowed.test(type))
    fail(`${importer} imports ${manifest.name} (${type}), which does not belong in an image`);
  own.set(folder, manifest);
  for (const name of importedBy(folder)) {
    if (name === manifest.name) continue;
    const path = resolve(folder, name);
    if (path === null) fail(`${folder} imports ${name}, which the lockfile does not have`);
    if (lock[path].link) takeOwn(lock[path].resolved, folder);
    else takeVendor(path, folder);
  }
};
const takeVendor = (path, importer) => {
  if (vendor.has(path)) return;
  const entry = lock[path];
  if (entry.dev) fail(`${importer} imports ${path.replace(/^.*node_modules\//, '')}, which is a development dependency`);
  const needs = [];
  vendor.set(path, needs);
  const optionalPeer = (name) => entry.peerDependenciesMeta?.[name]?.optional === true;
  const required = [
    ...Object.keys(entry.dependencies ?? {}),
    ...Object.keys(entry.peerDependencies ?? {}).filter((name) => !optionalPeer(name)),
  ];
  const optional = Object.keys(entry.optionalDependencies ?? {});
  for (const name of [...new Set([...required, ...optional])].sort()) {
    const found = resolve(path, name);
    if (found === null || !fits(lock[found]) || !existsSync(join(root, found))) {
      if (optional.includes(name)) continue;
      fail(`${path} needs ${name}, which is not installed`);
    }
    needs.push(found);
    takeVendor(found, path);
  }
};
takeOwn(`apps/${app}`, null);

rmSync(out, { recursive: true, force: true });
const place = (target, source) => {
  mkdirSync(dirname(target), { recursive: true });
  if (typeof source === 'object') writeFileSync(target, source.text);
  else copyFileSync(source, target);
};
/** Never read at run time: Node refuses TypeScript below node_modules, and maps of foreign code cost more than they tell. */
const idle = /\.(map|[cm]?tsx?|tsbuildinfo|flow|markdown)$|(^|\/)(?!LICEN[CS]E|NOTICE|COPYING)[^/]*\.md$/i;

for (const path of [...vendor.keys()].sort()) {
  const folder = join(root, path);
  for (const file of filesOf(folder)) {
    const name = relative(folder, file);
    // Packages nested in this one are entries of the lockfile themselves.
    if (!name.startsWith('node_modules/') && !idle.test(name)) place(join(out, 'vendor', path, name), file);
  }
}
for (const [folder, manifest] of own) {
  const target = folder.startsWith('apps/') ? folder : `node_modules/${manifest.name}`;
  for (const file of filesOf(join(root, folder, 'dist')))
    place(join(out, 'own', target, 'dist', relative(join(root, folder, 'dist'), file)), file);
  place(join(out, 'own', target, 'package.json'), join(root, folder, 'package.json'));
}
// The gateway serves the console from its own origin.
if (app === 'gateway')
  for (const file of filesOf(join(root, 'apps/console/dist')))
    place(join(out, 'own/apps/console/dist', relative(join(root, 'apps/console/dist'), file)), file);

const { version, license } = read('package.json');
place(join(out, 'own/package.json'), {
  text: `${JSON.stringify({ name: `@centralita/image-${app}`, version, license, private: true, type: 'module' }, null, 2)}\n`,
});
// Process 1 of a container is not ended by a signal that it does not mind: before the app does, and in commands that never do, this does.
const entry = `import { constants } from 'node:os';

for (const signal of ['SIGTERM', 'SIGINT']) {
  let minded = false;
  process.on(signal, () => {
    minded ||= process.listenerCount(signal) > 1;
    if (!minded) process.exit(128 + constants.signals[signal]);
  });
}
${app === 'gateway' ? "process.env.CONSOLE_DIR ||= '/app/apps/console/dist';\n" : ''}await import('./apps/${app}/dist/main.js');
`;
place(join(out, 'own/entry.mjs'), { text: entry });
// For `kubectl exec … -- centralita …`, where there is no shell to find it otherwise. A base with Node elsewhere: node /app/entry.mjs.
if (app === 'cli') place(join(out, 'own/bin/centralita'), { text: "#!/usr/local/bin/node\nawait import('../entry.mjs');\n" });
const sbom = billOfMaterials({ root, lock, app, version, license, own, vendor, epoch });
place(join(out, 'own/sbom.cdx.json'), { text: `${JSON.stringify(sbom, null, 2)}\n` });
// Folders that a volume is mounted on start with the owner that they have in the image.
for (const name of ['media', 'archive']) mkdirSync(join(out, 'state', name), { recursive: true });

/** Modes and times that do not hang on who built it, and when. Folders last: their time changes with what is put into them. */
const settle = (path, isFolder) => {
  if (isFolder)
    for (const entry of readdirSync(path, { withFileTypes: true })) settle(join(path, entry.name), entry.isDirectory());
  chmodSync(path, isFolder || /\.node$|\/own\/bin\//.test(path) ? 0o755 : 0o644);
  lutimesSync(path, epoch, epoch);
};
settle(out, true);
process.stdout.write(`${app}: ${own.size} packages of ours, ${vendor.size} of others\n`);
