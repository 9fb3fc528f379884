import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveJars } from '@centralita/tool-kafka';
import { projectRoot } from '@centralita/tool-start';
import { Command } from 'commander';
import { testRules } from '../observability/promtool.js';
import { renderedRules } from '../observability/rules.js';
import { bomProblems } from './bom-schema.js';
import { tryCommand } from './command.js';
import { Containers, deployState } from './containers.js';
import { apps, ImageBuilder, type App, type Image } from './images.js';
import { runInside, type Plan } from './inside.js';
import { inNamespace } from './namespace.js';
import { buildPrevious, previousCommit } from './previous.js';
import { outside } from './values.js';
import { Verdicts } from './verdicts.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const options = new Command('npm run test:deploy --')
  .description('Builds the images and runs what the chart renders under podman, through a day of traffic and a rolling upgrade.')
  .option('--seed <number>', 'input of the day', Number, 1)
  .option('--customers <number>', 'size of the day', Number, 100)
  .option(
    '--arrival <milliseconds>',
    'from one customer’s first message to the next one’s, while workloads are replaced',
    Number,
    4_000,
  )
  .option('--previous <commit>', 'the release to upgrade from; default: the last tag, else the last commit before the chart')
  .option('--images', 'build the images and stop', false)
  .option('--no-build', 'run with the images of the last time')
  .option('--no-day', 'only the Jobs, and how soon each workload is healthy')
  .option('--clean', 'remove images and whatever else the test keeps in .centralita/deploy', false)
  .option('--inside <plan>', 'for the test itself')
  .parse()
  .opts<{
    seed: number;
    customers: number;
    arrival: number;
    previous?: string;
    images: boolean;
    build: boolean;
    day: boolean;
    clean: boolean;
    inside?: string;
  }>();

/** Says what is missing, and installs it where it may. */
const prepareMachine = (): void => {
  const { status } = spawnSync('sh', [join(projectRoot, 'docker/install-tools.sh')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  if (process.getuid?.() !== 0) {
    print(
      'root is needed: the test makes a network of its own and runs containers as other users. Run: sudo -E npm run test:deploy',
    );
    process.exit(77);
  }
};

const namesOf = (images: readonly Image[]): Record<App, string> =>
  Object.fromEntries(images.map(({ app, name }) => [app, name])) as Record<App, string>;

const mebibytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB`;

const buildImages = async (verdicts: Verdicts): Promise<Omit<Plan, 'seed' | 'customers' | 'arrivalMs' | 'day'>> => {
  const containers = await Containers.open();
  const builder = new ImageBuilder(containers, print);
  const images: Image[] = [];
  for (const app of apps) {
    const image = await builder.build(app, projectRoot);
    images.push(image);
    verdicts.check(
      `image ${app} is smaller than 300 MB`,
      image.bytes < 300_000_000,
      `${mebibytes(image.bytes)}, ${image.seconds === 0 ? 'there already' : `built in ${image.seconds.toFixed(1)} s`}`,
    );
  }
  for (const app of apps) {
    const bom = JSON.parse(await readFile(join(deployState, 'sbom', `${app}.cdx.json`), 'utf8')) as { components: unknown[] };
    const problems = bomProblems(bom);
    verdicts.check(
      `the bill of materials of ${app} is CycloneDX`,
      problems.length === 0,
      problems.length === 0 ? `${bom.components.length} components` : problems.slice(0, 3).join('; '),
    );
  }
  const [twin] = images;
  if (twin) {
    const again = await builder.build(twin.app, projectRoot, { version: 'n', again: true });
    verdicts.check(
      `two builds of ${twin.app} have the same layers`,
      JSON.stringify(again.layers) === JSON.stringify(twin.layers),
      again.layers.map((layer) => layer.slice(7, 19)).join(' '),
    );
  }
  await verdicts.attempt('the rendered alerts hold in the tests of promtool', async () => {
    const { status, output } = testRules(renderedRules());
    if (status !== 0) throw new Error(output.slice(-600));
  });
  const commit = await previousCommit(options.previous ?? null);
  const { root } = await buildPrevious(commit, print);
  const before: Image[] = [];
  for (const app of apps) before.push(await builder.build(app, root, { version: 'previous' }));
  print(`images of ${commit.slice(0, 7)}: ${before.map(({ app, bytes }) => `${app} ${mebibytes(bytes)}`).join(', ')}`);
  await builder.prune([...images, ...before]);
  return {
    images: namesOf(images),
    previous: namesOf(before),
    previousName: commit.slice(0, 7),
    counted: { passed: verdicts.passed, failed: verdicts.failed },
  };
};

/** Podman mounts its storage onto itself and leaves it so: nobody could remove `.centralita`. */
const releaseStorage = async (): Promise<void> => {
  for (const folder of ['storage/overlay', 'tmp', 'run']) {
    const path = join(deployState, folder);
    while (
      (await tryCommand('mountpoint', ['-q', path])).code === 0 &&
      (await tryCommand('umount', ['--recursive', path])).code === 0
    );
  }
};

const run = async (): Promise<number> => {
  if (options.clean) {
    await releaseStorage();
    await rm(deployState, { recursive: true, force: true });
    print(`removed ${deployState}`);
    return 0;
  }
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  prepareMachine();
  await mkdir(deployState, { recursive: true });
  const verdicts = new Verdicts(print);
  const file = join(deployState, 'plan.json');
  const { seed, customers, arrival: arrivalMs } = options;
  const built = options.build
    ? await buildImages(verdicts)
    : { ...(JSON.parse(await readFile(file, 'utf8')) as Plan), counted: { passed: 0, failed: 0 } };
  const plan: Plan = { ...built, seed, customers, arrivalMs, day: options.day };
  await writeFile(file, JSON.stringify(plan));
  if (abort.signal.aborted) return 130;
  if (options.images) {
    print(`${verdicts.passed} passed, ${verdicts.failed} failed`);
    return verdicts.failed === 0 ? 0 : 1;
  }
  // The namespace has no network: what comes from one is fetched here.
  await resolveJars(print, abort.signal);
  const hosts = new Map(Object.entries(outside));
  const code = await inNamespace(import.meta.filename, ['--inside', file], { hosts, signal: abort.signal });
  // Control groups are the one thing that is not of the namespace.
  await tryCommand('find', [
    '/sys/fs/cgroup',
    '-depth',
    '-type',
    'd',
    '-path',
    '*/centralita-deploy*',
    '-exec',
    'rmdir',
    '{}',
    ';',
  ]);
  await releaseStorage();
  return code;
};

process.exitCode = options.inside === undefined ? await run() : await runInside(options.inside);
// A day that was broken off may still hold timers and sockets.
process.exit();
