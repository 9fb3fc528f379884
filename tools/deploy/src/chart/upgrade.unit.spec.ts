import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { render } from '../helm/render.js';
import { ofKind, type Manifest } from '../manifests/manifest.js';
import { mainChart } from '../repository.js';
import { immutableFindings, upgradeOf } from '../rules/immutable.js';
import { kept, released, releasedVersions } from '../release/released.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

describe('an upgrade from each release to what is here', () => {
  const versions = releasedVersions();

  it('has a release to start from', () => {
    expect(versions.length).toBeGreaterThan(0);
  });

  describe.each(versions)('%s', (version) => {
    it.each(Object.keys(kept))('changes no field that cannot be changed, and deletes no workload: %s', (name) => {
      const [before, after] = [released(version, name), render({ ...kept[name], upgrade: true })];
      expect(immutableFindings(before, after)).toEqual([]);
      expect(
        upgradeOf(before, after).deleted.filter((object) =>
          /^(Deployment|StatefulSet|Service|PersistentVolumeClaim)\//.test(object),
        ),
      ).toEqual([]);
    });
  });
});

describe('what restarts', () => {
  const restarted = (values: Record<string, unknown>): string[] => upgradeOf(render(), render({ values })).restarted;
  const deployments = (manifests: readonly Manifest[]): string[] =>
    ofKind(manifests, 'Deployment').map(({ metadata }) => `Deployment/${metadata.name}`);

  it('is nothing when nothing was changed', () => {
    expect(upgradeOf(render(), render({ upgrade: true }))).toEqual({ created: [], deleted: [], changed: [], restarted: [] });
  });

  it.each([
    ['a level of logs of one service', { services: { billing: { logLevel: 'debug' } } }, ['Deployment/centralita-billing']],
    ['the sessions', { session: { hours: 8 } }, ['Deployment/centralita-gateway']],
    ['the pool of one database', { postgres: { routing: { pool: 11 } } }, ['Deployment/centralita-routing']],
    [
      'tenants, which are a file',
      { tenants: { inline: [{ tenantId: '00000000-0000-4000-8000-000000000000', name: 'A' }] } },
      ['Deployment/centralita-gateway'],
    ],
    ['replicas', { services: { billing: { replicas: 3 } } }, []],
    ['a disruption budget', { services: { billing: { pdb: { enabled: false } } } }, []],
    ['alerts and dashboards', { monitoring: { rules: { enabled: true }, dashboards: { enabled: true } } }, []],
    ['a schedule', { jobs: { replay: { schedule: '0 1 * * *' } } }, []],
    ['policies', { networkPolicy: { enabled: false } }, []],
    ['labels of objects', { services: { billing: { annotations: { a: 'b' } } } }, []],
  ])('is what the change concerns: %s', (_, values, expected) => {
    expect(restarted(values)).toEqual(expected);
  });

  describe('with a new chart', () => {
    let folder: string;
    const chartWith = (change: (text: string) => string): string => {
      const chart = mkdtempSync(join(folder, 'chart-'));
      cpSync(mainChart, chart, { recursive: true });
      writeFileSync(join(chart, 'Chart.yaml'), change(readFileSync(join(chart, 'Chart.yaml'), 'utf8')));
      return chart;
    };
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('is nothing when the chart’s version alone is new', () => {
      const chart = chartWith((text) => text.replace(/^version: .*$/m, 'version: 9.9.9'));
      const upgrade = upgradeOf(render(), render({ chart }));
      expect(upgrade.restarted).toEqual([]);
      expect(upgrade.created).toEqual([]);
      expect(upgrade.changed).not.toEqual([]);
    });

    it('is everything when the images are new, after a migration of another name', () => {
      const after = render({ chart: chartWith((text) => text.replace(/^appVersion: .*$/m, 'appVersion: 9.9.9')) });
      const upgrade = upgradeOf(render(), after);
      expect(upgrade.restarted.sort()).toEqual(deployments(after).sort());
      expect(immutableFindings(render(), after)).toEqual([]);
      expect(upgrade.created.filter((object) => object.startsWith('Job/centralita-migrate-'))).toHaveLength(1);
    });
  });
});
