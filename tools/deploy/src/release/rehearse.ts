import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { render, renderText, type RenderOptions } from '../helm/render.js';
import { parseManifests, type Manifest } from '../manifests/manifest.js';
import { dependenciesChart, mainChart } from '../repository.js';
import { publish } from './package.js';

// The part of a release that needs no network: charts to a registry on this machine, and from there into a render that must be the same as
// the render of the folder. Needs Debian's docker-registry.

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** What comes out of a registry; helm tells what it pulled in front of the objects. */
const pulled = (options: RenderOptions): Manifest[] =>
  parseManifests(renderText(options).replaceAll(/^(Pulled|Digest): .*\n/gm, ''));

if (spawnSync('docker-registry', ['--version']).error) {
  process.stderr.write('docker-registry is missing: apt-get install docker-registry\n');
  process.exit(69);
}
const folder = mkdtempSync(join(tmpdir(), 'registry-'));
const port = await freePort();
const config = join(folder, 'config.yml');
writeFileSync(
  config,
  `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${folder}/data } }\nhttp: { addr: '127.0.0.1:${port}' }\n`,
);
const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
let failed = 0;
try {
  const until = Date.now() + 15_000;
  while (!(await answers(`http://127.0.0.1:${port}/v2/`)) && Date.now() < until && registry.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const to = `oci://127.0.0.1:${port}/centralita/charts`;
  for (const [chart, path] of [
    ['centralita', mainChart],
    ['centralita-deps', dependenciesChart],
  ] as const) {
    const pushed = publish({ chart, to, plainHttp: true });
    const fromRegistry = pulled({ chart: `${to}/${chart}`, extra: ['--plain-http', '--version', pushed.version] });
    const checks = {
      'renders from the registry as from the folder': isDeepStrictEqual(fromRegistry, render({ chart: path })),
      'renders by digest': isDeepStrictEqual(
        pulled({ chart: `${to}/${chart}@${pushed.digest}`, extra: ['--plain-http'] }),
        fromRegistry,
      ),
    };
    for (const [check, holds] of Object.entries(checks)) {
      process.stdout.write(`${holds ? 'ok  ' : 'FAIL'} ${chart} ${pushed.version}: ${check}\n`);
      if (!holds) failed += 1;
    }
  }
} finally {
  registry.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
