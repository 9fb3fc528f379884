import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '@centralita/tool-start';
import { command } from './command.js';
import { deployState, type Containers } from './containers.js';

export const apps = ['ingest', 'conversation', 'routing', 'billing', 'audit-log', 'gateway', 'cli'] as const;
export type App = (typeof apps)[number];

export type Image = {
  readonly app: App;
  /** `localhost/centralita/<app>:<tag>`. */
  readonly name: string;
  readonly bytes: number;
  /** Digests of its layers, the base's first. */
  readonly layers: readonly string[];
  /** 0 when it was there already. */
  readonly seconds: number;
};

type BasePackages = { readonly node: string; readonly packages: readonly { readonly name: string; readonly version: string }[] };

const recipe = ['base.mjs', 'closure.mjs', 'sbom.mjs', 'Dockerfile'].map((name) => join(projectRoot, 'docker', name));
const digestOf = (...parts: readonly (string | Buffer)[]): string =>
  parts
    .reduce((hash, part) => hash.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);

/** Names and contents below a folder: what an image is made of names the image. */
const digestOfFolder = (folder: string): string => {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    hash.update(`${name}\n`);
    const entry = join(folder, name);
    try {
      hash.update(readFileSync(entry));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    }
  }
  return hash.digest('hex').slice(0, 12);
};

const npmrc = join(process.env['HOME'] ?? '/root', '.npmrc');
const secretArguments = existsSync(npmrc) ? ['--secret', `id=npmrc,src=${npmrc}`] : [];

/** Builds images from a tree of sources that is installed and built, with the recipe of this tree. */
export class ImageBuilder {
  #base: { readonly base: string; readonly build: string; readonly contents: BasePackages } | null = null;

  constructor(
    private readonly containers: Containers,
    private readonly print: (line: string) => void,
  ) {}

  /** Bases made of Debian packages and npm's Node, since this machine may be able to pull none. Made once for a recipe and a Node. */
  async base(): Promise<{ readonly base: string; readonly build: string; readonly contents: BasePackages }> {
    if (this.#base) return this.#base;
    const node = readFileSync(join(projectRoot, 'node_modules/node/package.json'));
    const tag = digestOf(readFileSync(recipe[0] as string), node);
    const [base, build] = [`localhost/centralita-base:${tag}`, `localhost/centralita-build:${tag}`];
    const list = join(deployState, `base-${tag}.json`);
    if (!existsSync(list) || !(await this.containers.hasImage(base)) || !(await this.containers.hasImage(build))) {
      this.print('base images from Debian packages and npm’s Node');
      const contents = await command(process.execPath, [recipe[0] as string, base, build], {
        env: this.containers.environment,
      });
      await writeFile(list, contents);
    }
    this.#base = { base, build, contents: JSON.parse(readFileSync(list, 'utf8')) as BasePackages };
    return this.#base;
  }

  /** The image of an app of the sources at `root`. With `again`, it is built although it is there, under a name of its own. */
  async build(app: App, root: string, options: { version: string; again?: boolean } = { version: 'n' }): Promise<Image> {
    const { base, build } = await this.base();
    const started = performance.now();
    const context = join(deployState, 'context', `${options.version}-${app}${options.again ? '-again' : ''}`);
    await rm(context, { recursive: true, force: true });
    await command(process.execPath, [recipe[1] as string, app, join(context, 'out')], {
      env: { ...process.env, SOURCE_ROOT: root, SOURCE_DATE_EPOCH: '0' },
    });
    const tag = `${options.version}-${digestOf(digestOfFolder(join(context, 'out')), base, readFileSync(recipe[3] as string))}`;
    const name = `localhost/centralita/${app}:${options.again ? 'again' : tag}`;
    const there = !options.again && (await this.containers.hasImage(name));
    if (!there)
      await this.containers.buildah(
        ...['bud', '--layers', '--no-cache', '--timestamp', '0', '--quiet', ...secretArguments],
        ...['--file', recipe[3] as string, '--build-arg', `APP=${app}`],
        ...['--build-arg', `BASE_IMAGE=${base}`, '--build-arg', `BUILD_IMAGE=${build}`],
        // The stage `closure` of the recipe does the same with the same program, after an installation and a build of its own.
        ...['--build-context', `closure=${context}`, '--tag', name, context],
      );
    if (!options.again && options.version === 'n') await this.#billOfMaterials(app, context);
    await rm(context, { recursive: true, force: true });
    const [inspected] = JSON.parse(await this.containers.podman('image', 'inspect', name)) as [
      { readonly Size: number; readonly RootFS: { readonly Layers: readonly string[] } },
    ];
    const seconds = there ? 0 : (performance.now() - started) / 1000;
    return { app, name, bytes: inspected.Size, layers: inspected.RootFS.Layers, seconds };
  }

  /** Beside what is in the image, what the base brings. */
  async #billOfMaterials(app: App, context: string): Promise<void> {
    const { contents } = await this.base();
    type Component = { 'bom-ref': string };
    const bom = JSON.parse(readFileSync(join(context, 'out/own/sbom.cdx.json'), 'utf8')) as {
      components: Component[];
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    const added = [
      ...contents.packages.map(({ name, version }) => ({
        type: 'library',
        'bom-ref': `pkg:deb/debian/${name}@${encodeURIComponent(version)}`,
        name,
        version,
        purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}`,
      })),
      {
        type: 'application',
        'bom-ref': `pkg:generic/node@${contents.node}`,
        name: 'node',
        version: contents.node,
        purl: `pkg:generic/node@${contents.node}`,
      },
    ];
    bom.components.push(...added);
    bom.dependencies[0]?.dependsOn.push(...added.map((one) => one['bom-ref']));
    await mkdir(join(deployState, 'sbom'), { recursive: true });
    await writeFile(join(deployState, 'sbom', `${app}.cdx.json`), `${JSON.stringify(bom, null, 2)}\n`);
  }

  /** Images of earlier runs that nobody names any more. */
  async prune(keep: readonly Image[]): Promise<void> {
    const names = new Set(keep.map(({ name }) => name));
    const listed = await this.containers.podman('images', '--format', '{{.Repository}}:{{.Tag}}');
    const old = listed.split('\n').filter((name) => name.startsWith('localhost/centralita/') && !names.has(name));
    if (old.length > 0) await this.containers.tryPodman('rmi', '--force', ...old);
  }
}

/** Copies what a build needs besides sources: nothing of another tree may be found through a link. */
export const copyTree = (from: string, to: string): Promise<void> =>
  // Hard links where the file system can, and links inside of the tree stay inside.
  command('cp', ['-al', from, to]).then(
    () => undefined,
    () => cp(from, to, { recursive: true, verbatimSymlinks: true }),
  );
