import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { render } from '../helm/render.js';
import { helm } from '../helm/run.js';
import { at, ofKind, parseManifests, theOne, type Manifest } from '../manifests/manifest.js';
import { containersOf, podsOf } from '../manifests/pods.js';
import { charts, dependenciesChart, mainChart, repository } from '../repository.js';
import { argoOrderFindings, argoWaves } from '../rules/phases.js';
import { externalsOf } from '../rules/references.js';
import { schemaFindings } from '../rules/schema.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const examples = join(repository, 'deploy/examples');
const read = (file: string): string => readFileSync(join(examples, file), 'utf8');
const versionOf = (chart: string): unknown => at(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')), 'version');

type Values = Record<string, unknown>;

/** Both charts with an example's values: valid, and with nothing missing between them but what a platform team must bring. */
const fits = async (main: Values, dependencies: Values): Promise<void> => {
  const manifests = [...render({ values: main }), ...render({ chart: dependenciesChart, release: 'deps', values: dependencies })];
  expect(await schemaFindings(manifests)).toEqual([]);
  const missing = externalsOf(manifests).map(({ name }) => name);
  expect(
    missing.filter((name) => /^centralita-(postgres|cluster|conversation|billing|routing|audit-log$|ingest|gateway$)/.test(name)),
  ).toEqual([]);
};

describe('Argo CD', () => {
  const applications = parseManifests(read('argocd/applications.yaml'));
  const values = (name: string): Values =>
    at(theOne(applications, 'Application', name), 'spec', 'source', 'helm', 'valuesObject') as Values;

  it('has applications that Argo CD takes, with values that fit', async () => {
    expect(await schemaFindings(applications)).toEqual([]);
    await fits(values('centralita'), values('centralita-deps'));
  });

  it('names the released version, and syncs the dependencies first', () => {
    expect(at(theOne(applications, 'Application', 'centralita'), 'spec', 'source', 'targetRevision')).toBe(versionOf(mainChart));
    expect(at(theOne(applications, 'Application', 'centralita-deps'), 'spec', 'source', 'targetRevision')).toBe(
      versionOf(dependenciesChart),
    );
    expect(argoWaves(applications).map(({ objects }) => objects)).toEqual([
      ['Application/centralita-deps'],
      ['Application/centralita'],
    ]);
  });

  it('finds nothing that waits for what is applied later', () => {
    expect(argoOrderFindings(render({ values: values('centralita') }))).toEqual([]);
  });
});

describe('Flux', () => {
  const manifests = parseManifests(read('flux/releases.yaml'));
  const values = (name: string): Values => at(theOne(manifests, 'HelmRelease', name), 'spec', 'values') as Values;

  it('has releases that Flux takes, with values that fit', async () => {
    expect(await schemaFindings(manifests)).toEqual([]);
    await fits(values('centralita'), values('deps'));
  });

  it('refers to sources and releases that are there, in the released version', () => {
    for (const release of ofKind(manifests, 'HelmRelease'))
      theOne(manifests, 'OCIRepository', String(at(release, 'spec', 'chartRef', 'name')));
    expect(at(theOne(manifests, 'HelmRelease', 'centralita'), 'spec', 'dependsOn')).toEqual([{ name: 'deps' }]);
    expect(at(theOne(manifests, 'OCIRepository', 'centralita'), 'spec', 'ref', 'tag')).toBe(versionOf(mainChart));
    expect(at(theOne(manifests, 'OCIRepository', 'centralita-deps'), 'spec', 'ref', 'tag')).toBe(versionOf(dependenciesChart));
  });
});

describe('Terraform', () => {
  const text = read('terraform/main.tf');
  const blocks = [...text.matchAll(/^resource "helm_release" "(\w+)" \{([\s\S]*?)^\}/gm)].map(([, name, body = '']) => ({
    name,
    chart: /^ {2}chart +\= "([^"]+)"/m.exec(body)?.[1],
    version: /^ {2}version +\= "([^"]+)"/m.exec(body)?.[1],
    files: [...body.matchAll(/file\("\$\{path\.module\}\/([^"]+)"\)/g)].map(([, file]) => file),
  }));

  it('installs both charts in the released version, with values that fit', async () => {
    expect(blocks).toEqual([
      { name: 'dependencies', chart: 'centralita-deps', version: versionOf(dependenciesChart), files: ['dependencies.yaml'] },
      { name: 'centralita', chart: 'centralita', version: versionOf(mainChart), files: ['centralita.yaml'] },
    ]);
    await fits(parse(read('terraform/centralita.yaml')) as Values, parse(read('terraform/dependencies.yaml')) as Values);
  });
});

describe('an umbrella chart', () => {
  let folder: string;
  let manifests: readonly Manifest[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'umbrella-'));
    mkdirSync(join(folder, 'examples'));
    cpSync(join(examples, 'umbrella'), join(folder, 'examples/umbrella'), { recursive: true });
    symlinkSync(charts, join(folder, 'charts'));
    helm(['dependency', 'build', '--skip-refresh', join(folder, 'examples/umbrella')]);
    manifests = render({ chart: join(folder, 'examples/umbrella'), release: 'messaging' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('renders both charts beside its own, with what it sets for all', async () => {
    expect(await schemaFindings(manifests)).toEqual([]);
    for (const kind of ['Kafka', 'Cluster', 'Deployment', 'ResourceQuota']) expect(ofKind(manifests, kind)).not.toEqual([]);
    for (const { container } of podsOf(manifests).flatMap(containersOf))
      expect(container.image).toMatch(/^mirror\.internal:5000\//);
    for (const manifest of manifests) expect(manifest.metadata.labels).toMatchObject({ team: 'messaging' });
  });

  it('leaves a chart out whose condition does not hold', () => {
    const without = render({
      chart: join(folder, 'examples/umbrella'),
      release: 'messaging',
      values: { centralita: { enabled: false } },
    });
    expect(ofKind(without, 'Deployment')).toEqual([]);
    expect(ofKind(without, 'Kafka')).toHaveLength(1);
  });
});
