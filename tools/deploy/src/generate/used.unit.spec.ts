import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tryRender } from '../helm/render.js';
import { mainChart } from '../repository.js';
import { valuesOf } from './pages.js';
import type { Value } from './values.js';

const values = valuesOf(mainChart);
const isLeaf = ({ path }: Value): boolean =>
  !values.some((other) => other.path.length > path.length && path.every((key, index) => other.path[index] === key));

/** Parts of Kubernetes objects that a template passes on as a whole. */
const passedOn = new Set(['resources', 'strategy', 'probes']);

describe('values.yaml', () => {
  it('holds nothing that no template reads', () => {
    const folder = join(mainChart, 'templates');
    const templates = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(tpl|yaml|txt)$/.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n')
      // A word in a sentence is no use of a value.
      .replace(/\(printf "[^"]*"/g, '(printf')
      .replace(/\{\{-? ?\/\*[\s\S]*?\*\/ ?-?\}\}/g, '');
    const read = (key: string): boolean => new RegExp(`[.]${key}\\b|"${key}"`).test(templates);
    // Databases and services are keys that templates range over; the condition of an umbrella chart is read by helm.
    const unread = values
      .filter(isLeaf)
      .filter(({ path }) => !path.some((key) => passedOn.has(key)) && path.join('.') !== 'enabled')
      .filter(({ path: [top, ...rest] }) => !(top === 'postgres' && rest.length === 1 && rest[0] !== 'secretPrefix'))
      .filter(({ path }) => !read(path.at(-1) ?? ''))
      .map(({ path }) => path.join('.'));
    expect(unread).toEqual([]);
  });
});

type Schema = { readonly enum?: readonly unknown[]; readonly items?: { readonly enum?: readonly unknown[] } };
type Choice = { readonly path: readonly string[]; readonly value: unknown };

const choices = values.flatMap(({ path, schema }): Choice[][] => {
  const { enum: one, items } = (schema ?? {}) as Schema;
  const taken = one ?? items?.enum?.map((value) => [value]);
  return taken ? [taken.map((value) => ({ path, value }))] : [];
});

/** Choices that ask for others beside them: tried one by one, in the values that have what they need. */
const alone = new Set(['profile', 'kms.provider', 'kafka.sasl.mechanism', 'secretDelivery.mode', 'archive.objectLock.mode']);
const isAlone = (ofOne: readonly Choice[]): boolean => alone.has(ofOne[0]?.path.join('.') ?? '');
const contexts = ['default', 'compliance', 'plaintext'].map((name) => `ci/${name}-values.yaml`);

const valuesFrom = (chosen: readonly Choice[]): Record<string, unknown> => {
  const all: Record<string, unknown> = {};
  for (const { path, value } of chosen) {
    let level = all;
    for (const key of path.slice(0, -1)) level = (level[key] ??= {}) as Record<string, unknown>;
    level[path.at(-1) ?? ''] = value;
  }
  return all;
};

const rounds = Math.max(...choices.filter((ofOne) => !isAlone(ofOne)).map(({ length }) => length));

describe('every choice that the schema offers', () => {
  it('is among these', () => {
    expect(choices.flat().length).toBeGreaterThan(60);
    expect(choices.filter(isAlone)).toHaveLength(alone.size);
  });

  it.each([...Array(rounds).keys()])('is rendered, with one of every other: %d', (round) => {
    const chosen = choices.filter((ofOne) => !isAlone(ofOne)).map((ofOne) => ofOne[round % ofOne.length] as Choice);
    expect(tryRender({ values: valuesFrom(chosen) }).stderr).toBe('');
  });

  const single = choices.filter(isAlone).flat();
  it.each(single.map((choice) => ({ ...choice, name: choice.path.join('.') })))('is rendered: $name $value', (choice) => {
    const refusals: string[] = [];
    for (const file of contexts) {
      const { status, stderr } = tryRender({ files: [file], values: valuesFrom([choice]) });
      if (status === 0) return;
      refusals.push(`${file}: ${stderr}`);
    }
    throw new Error(refusals.join('\n'));
  });
});
