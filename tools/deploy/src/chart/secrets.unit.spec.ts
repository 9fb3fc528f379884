import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { render, templateArguments, type RenderOptions } from '../helm/render.js';
import { helm } from '../helm/run.js';
import { mainChart } from '../repository.js';
import { externalsOf, type External } from '../rules/references.js';
import { cases, installation } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

/** The list that NOTES.txt prints, as helm shows it to whoever installs. */
const printedSecrets = (options: RenderOptions): External[] => {
  const [, release = '', chart = '', ...rest] = templateArguments(options);
  const versions = rest.flatMap((word, index) =>
    word === '--kube-version' || word === '--api-versions' ? [index, index + 1] : [],
  );
  const args = rest.filter((_, index) => !versions.includes(index));
  const text = helm(
    ['install', release, chart, '--dry-run=client', ...args],
    options.values ? { input: stringify(options.values) } : {},
  );
  const list = /Secrets that must be there \(name: keys\):\n((?: {2}\S.*\n)+)/.exec(text)?.[1] ?? '';
  return list.split('\n').flatMap((line) => {
    const [, name, keys] = /^ {2}([^:]+): (.*?)( \(rendered.*)?$/.exec(line) ?? [];
    return name && keys ? [{ kind: 'Secret', name, keys: keys.split(', ') }] : [];
  });
};

const needed = (options: RenderOptions): External[] => externalsOf(render(options)).filter(({ kind }) => kind === 'Secret');

const named = (name: string): RenderOptions => {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found.options;
};

describe('secrets that must be there', () => {
  it.each(['default', 'a single service', 'mutual TLS', 'a release name of 53 characters'])(
    'are those that NOTES.txt names, with the keys that pods read: %s',
    (name) => {
      const printed = printedSecrets(named(name));
      expect(printed.length).toBeGreaterThan(0);
      expect(printed).toEqual(needed(named(name)));
    },
  );

  it('are named for a production too', () => {
    const options = { values: { ...installation, profile: 'production' } };
    expect(printedSecrets(options)).toEqual(needed(options));
  });

  it('are in the README, for a production', () => {
    const readme = readFileSync(join(mainChart, 'README.md'), 'utf8');
    for (const { name, keys } of needed({ values: { ...installation, profile: 'production' } })) {
      const line = readme
        .split('\n')
        .find((candidate) => candidate.includes(`\`${name}\``) && keys.every((key) => candidate.includes(`\`${key}\``)));
      expect(`${name}: ${line === undefined ? 'missing' : 'there'}`).toBe(`${name}: there`);
    }
  });

  it('are the only things that a release needs and does not make', () => {
    for (const name of ['default', 'air gap', 'topics by Strimzi', 'OpenShift'])
      expect(externalsOf(render(named(name))).filter(({ kind }) => kind !== 'Secret')).toEqual([]);
  });
});
