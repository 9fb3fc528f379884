import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { projectRoot } from '@centralita/tool-start';
import { command, tryCommand } from './command.js';
import { deployState } from './containers.js';
import { copyTree } from './images.js';

/** The last commit before the chart: what a platform that is to be upgraded to this one runs, as long as there is no tagged release. */
const beforeTheChart = '2decc441cee1';

export type Previous = { readonly commit: string; readonly root: string };

const git = (...args: string[]): Promise<string> => command('git', ['-C', projectRoot, ...args]);

/** What is released before this tree: the last tag `v…` behind HEAD, else the last commit before the chart. */
export const previousCommit = async (asked: string | null): Promise<string> => {
  const tag = await tryCommand('git', ['-C', projectRoot, 'describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^']);
  const ref = asked ?? (tag.code === 0 ? tag.stdout.trim() : beforeTheChart);
  const found = await tryCommand('git', ['-C', projectRoot, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
  if (found.code !== 0)
    throw new Error(
      `the release before this one, ${ref}, is not in this clone: fetch its history, or name another with --previous`,
    );
  return found.stdout.trim();
};

type Lock = {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly link?: boolean; readonly dev?: boolean }>>;
};
const lockOf = (root: string): Lock['packages'] =>
  (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock).packages;

/** Whether what is installed here is what the other tree's lockfile asks for; more does no harm. */
const installedFits = (root: string): boolean => {
  const here = lockOf(projectRoot);
  return Object.entries(lockOf(root)).every(
    ([path, { version, link }]) => !path.includes('node_modules/') || link === true || here[path]?.version === version,
  );
};

/** The sources of a commit, installed and built in a folder of their own, once. */
export const buildPrevious = async (commit: string, print: (line: string) => void): Promise<Previous> => {
  const root = join(deployState, 'previous', commit.slice(0, 12));
  const built = join(root, '.built');
  if (existsSync(built)) return { commit, root };
  print(`the release before this one: sources of ${commit.slice(0, 7)}`);
  await rm(join(deployState, 'previous'), { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const archive = join(deployState, 'previous.tar');
  await git('archive', '--output', archive, commit);
  await command('tar', ['-xf', archive, '-C', root]);
  await rm(archive);
  if (installedFits(root)) await copyTree(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  else {
    print('its dependencies differ: npm ci');
    await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root });
  }
  print('its build');
  const env = {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH']}`,
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
  };
  await command(
    join(root, 'node_modules/.bin/nx'),
    ['run-many', '-t', 'build', '--output-style=static', '--exclude', 'tool-*,testing-*'],
    {
      cwd: root,
      env,
    },
  );
  await writeFile(built, '');
  return { commit, root };
};
