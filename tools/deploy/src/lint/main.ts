import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { cases, installation } from '../chart/cases.js';
import { render, renderText, templateArguments, type RenderOptions } from '../helm/render.js';
import { nameOf, parseManifests, type Manifest } from '../manifests/manifest.js';
import { repository } from '../repository.js';
import { conformFindings, linterFindings, scoreFindings, type LintFinding } from './reports.js';
import { kubernetesSchemas, lintTool, versions } from './tools.js';

// Runs the linters that platform teams run over what the chart renders. Not a part of `npm test`: it needs Go, Python and the internet once.

const renders: Readonly<Record<string, RenderOptions>> = {
  default: {},
  production: { files: ['values/production.yaml'], values: installation },
};

/** kube-score's tests that are left out, each with its reason. */
const scoreWithout: Readonly<Record<string, string>> = {
  'container-image-pull-policy':
    'images are named by version or digest: pulling them again at each start only adds a way to fail',
  'deployment-has-host-podantiaffinity': 'topologySpreadConstraints spread over zones and nodes, and know revisions',
  'deployment-replicas': 'KEDA scales what reads topics, which kube-score does not see',
};

const output = (command: string, args: readonly string[], input: string): string => {
  const { stdout, stderr, error, status } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error) throw error;
  if (stdout.trim() === '' && status !== 0) throw new Error(`${command} said nothing and ended with ${status}: ${stderr}`);
  return stdout;
};

const linters = {
  'kube-linter': (text: string) =>
    linterFindings(
      output(
        lintTool('kube-linter'),
        ['lint', '--config', join(repository, 'deploy/lint/kube-linter.yaml'), '--format', 'json', '-'],
        text,
      ),
    ),
  'kube-score': (text: string) =>
    scoreFindings(
      output(
        lintTool('kube-score'),
        [
          'score',
          '--output-format',
          'ci',
          // Without a limit of CPU by intention: see the chart's values.
          '--ignore-container-cpu-limit',
          ...Object.keys(scoreWithout).flatMap((test) => ['--ignore-test', test]),
          '-',
        ],
        text,
      ),
    ),
  kubeconform: (text: string) =>
    conformFindings(
      output(
        lintTool('kubeconform'),
        [
          '-strict',
          '-verbose',
          '-output',
          'json',
          '-ignore-missing-schemas',
          '-kubernetes-version',
          versions.kubernetes,
          '-schema-location',
          join(kubernetesSchemas(), '{{.ResourceKind}}{{.KindSuffix}}.json'),
          '-',
        ],
        text,
      ),
    ),
};

const byName = (manifests: readonly Manifest[]): Record<string, Manifest> =>
  Object.fromEntries(
    manifests.map((manifest) => [`${manifest.apiVersion} ${manifest.metadata.namespace} ${nameOf(manifest)}`, manifest]),
  );

const print = (finding: LintFinding): void => {
  process.stdout.write(`  ${finding.level} ${finding.object}: ${finding.check}: ${finding.message}\n`);
};

let errors = 0;
for (const [values, options] of Object.entries(renders)) {
  const text = renderText(options);
  for (const [name, lint] of Object.entries(linters)) {
    const { checks, findings } = lint(text);
    const failed = findings.filter(({ level }) => level === 'error');
    errors += failed.length;
    process.stdout.write(
      `${name} ${versions[name as keyof typeof linters]}, ${values} values: ${checks} checks, ${failed.length} errors, ${findings.length - failed.length} warnings\n`,
    );
    findings.forEach(print);
  }
}

// Helm 3 must render every case as helm 4 does, object by object.
for (const { name, options } of cases) {
  const args = templateArguments(options);
  const text = output(lintTool('helm'), args, options.values ? stringify(options.values) : '');
  const same = isDeepStrictEqual(byName(parseManifests(text)), byName(render(options)));
  if (!same) errors += 1;
  process.stdout.write(`helm ${versions.helm} renders ${same ? 'the same' : 'SOMETHING ELSE'}: ${name}\n`);
}
process.exitCode = errors === 0 ? 0 : 1;
