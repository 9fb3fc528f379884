import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { render } from '../helm/render.js';
import { containersOf, podsOf } from '../manifests/pods.js';
import { repository } from '../repository.js';
import { processes } from './processes.js';

const cases = ['default', 'all-features', 'compliance', 'oauthbearer', 'mtls', 'insecure', 'airgap', 'openshift'].map(
  (name) => `ci/${name}-values.yaml`,
);

/** What Node.js reads, and what the chart refers to itself. */
const outside = [
  'NODE_ENV',
  'NODE_OPTIONS',
  'UV_THREADPOOL_SIZE',
  'NODE_USE_ENV_PROXY',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'K8S_NAMESPACE_NAME',
  'K8S_NODE_NAME',
];

type Rendered = { readonly component: string; readonly container: string; readonly names: Set<string>; readonly vault: boolean };

const rendered = (file: string): Rendered[] =>
  podsOf(render({ files: [file] })).flatMap((pods) =>
    containersOf(pods).map(({ container }) => ({
      component: pods.labels['app.kubernetes.io/component'] ?? '',
      container: container.name,
      names: new Set((container.env ?? []).map(({ name }) => name)),
      vault: (container.env ?? []).some(({ name, value }) => name === 'KEYRING_PROVIDER' && value === 'vault'),
    })),
  );

/** Rows of docs/reference/settings.md: process -> name -> default. Common sections are given to every process that they are for. */
const reference = (names: readonly string[]): Map<string, Map<string, string>> => {
  const page = readFileSync(join(repository, 'docs/reference/settings.md'), 'utf8');
  const found = new Map<string, Map<string, string>>();
  for (const section of page.split('\n## ').slice(1)) {
    const title = section.split('\n')[0] ?? '';
    const rows = [...section.matchAll(/^\| `([A-Z0-9_]+)` \| ([^|]*) \|/gm)].map(
      ([, name, given]) => [name ?? '', given?.trim() ?? ''] as const,
    );
    const listed =
      title
        .split(':')[1]
        ?.split(',')
        .map((name) => name.trim()) ?? [];
    const about = title === 'Every process' ? names : title.startsWith('Every service') ? listed : [title];
    for (const process of about) {
      const known = found.get(process) ?? new Map<string, string>();
      for (const [name, given] of rows) known.set(name, given.startsWith('required') && given.includes(process) ? '-' : given);
      found.set(process, known);
    }
  }
  return found;
};

/** All source of the apps and libraries, specs left out. */
const source = (): string =>
  ['apps', 'libs/platform']
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
        .filter(
          (file) =>
            file.includes('/src/') && file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.includes('node_modules'),
        )
        .map((file) => readFileSync(join(repository, folder, file), 'utf8')),
    )
    .join('\n');

describe('the settings that the chart renders', () => {
  it('are known to the code: none is misspelt or gone', () => {
    const code = source();
    const stores = /^(MEDIA|ARCHIVE)_(DIR|S3_[A-Z_]+)$/;
    const read = (name: string): boolean =>
      code.includes(name) ||
      (stores.test(name) && code.includes(name.replace(/^(MEDIA|ARCHIVE)_/, ''))) ||
      // A secret as a file, an address with its credentials beside it, and what is named after a process.
      code.includes(name.replace(/_FILE$/, '')) ||
      code.includes(name.replace(/_CREDENTIALS_DIR$/, '_URL')) ||
      /^SELFTEST_[A-Z_]+_(HEALTH_)?URL$/.test(name);
    for (const file of cases)
      for (const { container, names } of rendered(file))
        for (const name of names)
          expect({ file, container, name, read: outside.includes(name) || read(name) }).toEqual({
            file,
            container,
            name,
            read: true,
          });
  });

  it('are all that a process requires', async () => {
    const facts = await processes();
    const settings = reference(Object.keys(facts));
    for (const file of cases)
      for (const { component, container, names, vault } of rendered(file)) {
        if (component !== container || !(component in facts)) continue;
        const required = [...(settings.get(component) ?? [])]
          .filter(([, given]) => given.startsWith('required'))
          .map(([name]) => name);
        if (component !== 'lag-exporter') expect({ component, known: required.length > 3 }).toEqual({ component, known: true });
        const missing = required.filter(
          (name) => !names.has(name) && !names.has(`${name}_FILE`) && !(vault && name === 'KEYRING_MASTER_KEY'),
        );
        expect({ file, component, missing }).toEqual({ file, component, missing: [] });
      }
  });
});
