import 'reflect-metadata';
import { PlatformProjections } from '@centralita/contracts';
import { describe, expect, it, jest } from '@jest/globals';
import { processes } from '../generate/processes.js';
import { render } from '../helm/render.js';
import { at, type Manifest } from '../manifests/manifest.js';
import { podsOf } from '../manifests/pods.js';
import { installation } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const rebuilds = (values: Record<string, unknown> = {}): Manifest[] =>
  render({ values: { ...installation, ...values } }).filter(
    ({ kind, metadata }) => kind === 'CronJob' && metadata.name.includes('-projection-'),
  );
const namesOf = (manifests: readonly Manifest[]): string[] => manifests.map(({ metadata }) => metadata.name);
const both = ['centralita-projection-facts', 'centralita-projection-usage'];

describe('Jobs that fill a projection again', () => {
  it('are those of the code: each with the image of its service, and its argument', async () => {
    const declared = Object.values(await processes()).flatMap(({ app, projections = {} }) =>
      Object.keys(projections).map((name) => ({ app, args: ['projection', name] })),
    );
    // The operators' command knows them from the contracts.
    expect(declared).toEqual(Object.entries(PlatformProjections).map(([name, app]) => ({ app, args: ['projection', name] })));
    const rendered = podsOf(rebuilds()).flatMap(({ spec }) =>
      spec.containers.map(({ image, args }) => ({ app: /([^/]+):[^/]+$/.exec(image ?? '')?.[1], args })),
    );
    expect(rendered).toHaveLength(declared.length);
    expect(rendered).toEqual(expect.arrayContaining(declared));
  });

  it('never run by themselves; every other CronJob does', () => {
    const suspended = render({ values: installation }).filter(
      (manifest) => manifest.kind === 'CronJob' && at(manifest, 'spec', 'suspend') === true,
    );
    expect(namesOf(suspended).sort()).toEqual(both);
  });

  it('have what their projection asks for, as the owner of the tables, and nothing that it does not', () => {
    const environments = Object.fromEntries(
      podsOf(rebuilds()).map(({ spec: { containers } }): [string, string[]] => [
        containers[0]?.name ?? '',
        (containers[0]?.env ?? [])
          .map(({ name }) => name)
          .filter((name) => !/^(KAFKA|KEYRING_VAULT|NODE|UV)_|^LOG_LEVEL$|^SERVICE_INSTANCE$/.test(name)),
      ]),
    );
    const owner = ['DATABASE_MIGRATOR_CREDENTIALS_DIR', 'DATABASE_MIGRATOR_URL'];
    expect(environments).toEqual({
      'projection-usage': ['ACCOUNTS_FILE', ...owner],
      'projection-facts': [...owner, 'KEYRING_DATABASE_CREDENTIALS_DIR', 'KEYRING_DATABASE_URL', 'KEYRING_PROVIDER'],
    });
    const urls = podsOf(rebuilds()).map(
      ({ spec }) => spec.containers[0]?.env?.find(({ name }) => name === 'DATABASE_MIGRATOR_URL')?.value,
    );
    expect(urls.map((url) => new URL(url ?? '').pathname).sort()).toEqual(['/audit_log', '/billing']);
  });

  it.each([
    ['their service', { services: { billing: { enabled: false } } }, ['centralita-projection-facts']],
    ['their service', { services: { 'audit-log': { enabled: false } } }, ['centralita-projection-usage']],
    ['the owner of the tables', { migrations: { mode: 'none' } }, []],
    ['the wish', { jobs: { projections: { enabled: false } } }, []],
    ['nothing', {}, both],
  ])('are not there without %s: %j', (_, values, expected) => {
    expect(namesOf(rebuilds(values)).sort()).toEqual(expected);
  });
});
