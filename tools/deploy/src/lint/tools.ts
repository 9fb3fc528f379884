import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolCache } from '../helm/binary.js';

/** Versions that the figures in the docs come from. */
export const versions = {
  'kube-linter': 'v0.8.3',
  'kube-score': 'v1.20.0',
  kubeconform: 'v0.7.0',
  helm: 'v3.21.4',
  schemas: '1.37.0',
  kubernetes: '1.36.0',
} as const;

type GoTool = { readonly module: string; readonly source?: string; readonly package: string };

// kube-linter's module has a name of its own; it is fetched from where its code is, which works behind a proxy that knows no such names.
const goTools = {
  'kube-linter': {
    module: 'golang.stackrox.io/kube-linter',
    source: 'github.com/stackrox/kube-linter',
    package: 'golang.stackrox.io/kube-linter/cmd/kube-linter',
  },
  'kube-score': { module: 'github.com/zegl/kube-score', package: 'github.com/zegl/kube-score/cmd/kube-score' },
  kubeconform: { module: 'github.com/yannh/kubeconform', package: 'github.com/yannh/kubeconform/cmd/kubeconform' },
  // Helm 3, which gets security fixes until February 2027; helm 4 comes from npm.
  helm: { module: 'helm.sh/helm/v3', package: 'helm.sh/helm/v3/cmd/helm' },
} satisfies Record<string, GoTool>;

export type LintTool = keyof typeof goTools;

const run = (command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): void => {
  const { status, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) throw new Error(`${command} is needed: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
};

/** Path of a tool, built once with Go (1.25 or later) and the lowest priority: a cold build takes minutes. */
export const lintTool = (name: LintTool): string => {
  const folder = join(toolCache, `${name}-${versions[name]}`);
  const binary = join(folder, name);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const tool: GoTool = goTools[name];
  const replace = tool.source ? `replace ${tool.module} => ${tool.source} ${versions[name]}\n` : '';
  writeFileSync(join(folder, 'go.mod'), `module build\n\ngo 1.25\n\nrequire ${tool.module} ${versions[name]}\n\n${replace}`);
  process.stdout.write(`building ${name} ${versions[name]} …\n`);
  run('nice', ['-n', '19', 'go', 'build', '-o', `${binary}.new`, tool.package], folder, { GOFLAGS: '-p=1 -mod=mod' });
  run('mv', [`${binary}.new`, binary], folder);
  return binary;
};

/**
 * Folder of strict schemas for kubeconform, from the Python package kubernetes-validate. Its references are absolute paths of a server;
 * they are rewritten to the files beside them.
 */
export const kubernetesSchemas = (): string => {
  const folder = join(toolCache, `schemas-${versions.kubernetes}`);
  if (existsSync(join(folder, 'done'))) return folder;
  const unpacked = join(toolCache, `kubernetes-validate-${versions.schemas}`);
  mkdirSync(folder, { recursive: true });
  run(
    'python3',
    ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', unpacked, `kubernetes-validate==${versions.schemas}`],
    toolCache,
  );
  const source = join(unpacked, `kubernetes_validate/kubernetes-json-schema/v${versions.kubernetes}-local-strict`);
  for (const file of readdirSync(source)) {
    const text = readFileSync(join(source, file), 'utf8');
    writeFileSync(join(folder, file), text.replaceAll('/api/_definitions.json', `file://${folder}/_definitions.json`));
  }
  writeFileSync(join(folder, 'done'), '');
  return folder;
};
