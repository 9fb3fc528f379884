import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { render, type RenderOptions } from '../helm/render.js';
import type { Finding, Manifest } from '../manifests/manifest.js';
import { mainChart } from '../repository.js';
import { rightsFindings } from '../rules/access.js';
import { hardeningFindings } from '../rules/hardening.js';
import { immutableFindings } from '../rules/immutable.js';
import { jobRuleFindings } from '../rules/jobs.js';
import { argoOrderFindings, helmOrderFindings } from '../rules/phases.js';
import { podSecurityFindings } from '../rules/pod-security.js';
import { externalsOf } from '../rules/references.js';
import { scalingFindings } from '../rules/scaling.js';
import { schemaFindings } from '../rules/schema.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

type Rule = (manifests: readonly Manifest[]) => readonly Finding[] | Promise<readonly Finding[]>;

const hardening: Rule = (manifests) => hardeningFindings(manifests, { fixedUser: true });
const scaling: Rule = (manifests) => scalingFindings(manifests, { partitions: 12 });
const upgrade: Rule = (manifests) => immutableFindings(render(), manifests);
const missing: Rule = (manifests) =>
  externalsOf(manifests)
    .filter(({ kind }) => kind !== 'Secret')
    .map(({ kind, name }) => `${kind}/${name} is missing`);

/** Whether the migration of a later image would be refused, because it has the name of the one before and another template. */
const upgradeOfImages = (manifests: readonly Manifest[]): Finding[] =>
  immutableFindings(
    manifests,
    manifests.map((manifest) =>
      manifest.kind === 'Job' && manifest.metadata.name.endsWith('-migrate')
        ? (JSON.parse(JSON.stringify(manifest).replaceAll(':0.1.0"', ':0.2.0"')) as Manifest)
        : manifest,
    ),
  );

type Mutant = readonly [what: string, file: string, text: string, replacement: string, rule: Rule, options?: RenderOptions];

const hooks: RenderOptions = { values: { migrations: { mode: 'hook' } } };
const scaled: RenderOptions = { values: { services: { routing: { autoscaling: { keda: { enabled: true, maxReplicas: 4 } } } } } };

const mutants: readonly Mutant[] = [
  [
    'a process that is killed while it drains',
    '_workload.tpl',
    'terminationGracePeriodSeconds: {{',
    'terminationGracePeriodSeconds: 20 # {{',
    scaling,
  ],
  [
    'a root file system that can be written',
    '_names.tpl',
    '"readOnlyRootFilesystem" true',
    '"readOnlyRootFilesystem" false',
    hardening,
  ],
  ['capabilities that stay', '_names.tpl', '(list "ALL")', '(list "NET_RAW")', podSecurityFindings],
  ['no seccomp', '_names.tpl', '"RuntimeDefault"', '"Unconfined"', podSecurityFindings],
  [
    'a token in processes',
    '_workload.tpl',
    '      automountServiceAccountToken: false',
    '      automountServiceAccountToken: true',
    rightsFindings,
  ],
  [
    'a token of accounts of jobs',
    '_jobs.tpl',
    '\nautomountServiceAccountToken: false',
    '\nautomountServiceAccountToken: true',
    rightsFindings,
  ],
  [
    'scratch space without a size',
    '_pod.tpl',
    'emptyDir: { sizeLimit: {{ .tmpSize | default "64Mi" }} }',
    'emptyDir: {}',
    hardening,
  ],
  [
    'a budget that keeps ill pods',
    '_workload.tpl',
    'unhealthyPodEvictionPolicy: AlwaysAllow',
    'unhealthyPodEvictionPolicy: IfHealthyBudget',
    scaling,
  ],
  [
    'a misspelt field',
    '_workload.tpl',
    'unhealthyPodEvictionPolicy: AlwaysAllow',
    'unhealtyPodEvictionPolicy: AlwaysAllow',
    schemaFindings,
  ],
  [
    'a scaler in a hurry',
    '_workload.tpl',
    'stabilizationWindowSeconds: {{ int $keda.scaleDownStabilizationSeconds }}',
    'stabilizationWindowSeconds: 30',
    scaling,
    scaled,
  ],
  [
    'a migration without an end',
    'migrate.yaml',
    '  activeDeadlineSeconds: {{ int .Values.migrations.activeDeadlineSeconds }}',
    '',
    jobRuleFindings,
  ],
  ['a migration of one name for ever', 'migrate.yaml', '(printf "migrate-%s" $digest)', '"migrate"', upgradeOfImages],
  [
    'a hook before its account',
    'migrate.yaml',
    '"helm.sh/hook-weight" "-10"',
    '"helm.sh/hook-weight" "10"',
    helmOrderFindings,
    hooks,
  ],
  ['the same in Argo CD', 'migrate.yaml', '"helm.sh/hook-weight" "-10"', '"helm.sh/hook-weight" "10"', argoOrderFindings, hooks],
  [
    'selectors that grow',
    '_names.tpl',
    'app.kubernetes.io/instance: {{ .root.Release.Name | quote }}',
    'app.kubernetes.io/instance: {{ .root.Release.Name | quote }}\nrelease: new',
    upgrade,
  ],
  ['an account that nobody made', '_workload.tpl', 'serviceAccountName: ', 'serviceAccountName: not-', missing],
];

let folder: string;

const mutated = (file: string, text: string, replacement: string): string => {
  const chart = mkdtempSync(join(folder, 'chart-'));
  cpSync(mainChart, chart, { recursive: true });
  const path = join(chart, 'templates', file);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(text)) throw new Error(`${file} does not hold ${text}: write the mutant anew`);
  writeFileSync(path, before.replaceAll(text, replacement));
  return chart;
};

describe('a chart with a defect is refused', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(mutants)('%s', async (_, file, text, replacement, rule, options = {}) => {
    expect(await rule(render(options))).toEqual([]);
    expect(await rule(render({ ...options, chart: mutated(file, text, replacement) }))).not.toEqual([]);
  });
});
