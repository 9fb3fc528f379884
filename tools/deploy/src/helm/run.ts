import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { toolBinary, toolCache } from './binary.js';

export type HelmResult = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** Helm with folders of its own: what a person has configured on this machine must not decide what a test sees. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  KUBECONFIG: '/dev/null',
  HELM_CACHE_HOME: join(toolCache, 'helm/cache'),
  HELM_CONFIG_HOME: join(toolCache, 'helm/config'),
  HELM_DATA_HOME: join(toolCache, 'helm/data'),
});

export type HelmOptions = {
  readonly input?: string;
  readonly cwd?: string;
  /** Give what helm wrote to stderr too: `push` tells its digest there. */
  readonly both?: boolean;
};

/** Runs helm and gives what it said, whatever its status. */
export const tryHelm = (args: readonly string[], { input, cwd }: HelmOptions = {}): HelmResult => {
  const { status, stdout, stderr, error } = spawnSync(toolBinary('helm'), args, {
    encoding: 'utf8',
    env: environment(),
    maxBuffer: 256 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error) throw error;
  return { status: status ?? 1, stdout, stderr };
};

/** Runs helm and gives its output. Throws what it wrote to stderr when it fails. */
export const helm = (args: readonly string[], options: HelmOptions = {}): string => {
  const { status, stdout, stderr } = tryHelm(args, options);
  if (status !== 0) throw new Error(`helm ${args[0]} failed: ${stderr.trim()}`);
  return options.both ? stdout + stderr : stdout;
};
