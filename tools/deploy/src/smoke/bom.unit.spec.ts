import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.js';
import { bomProblems } from './bom-schema.js';

type Lock = Record<string, { version: string; integrity?: string; license?: string }>;
type Input = {
  root: string;
  lock: Lock;
  app: string;
  version: string;
  license: string;
  own: Map<string, { name: string; version: string; license?: string }>;
  vendor: Map<string, string[]>;
  epoch: number;
};
const recipe = (await import(join(repository, 'docker/sbom.mjs'))) as {
  billOfMaterials: (input: Input) => { serialNumber: string; components: { purl: string; hashes?: unknown[] }[] };
};

const input = (epoch = 0): Input => ({
  root: repository,
  lock: (JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as { packages: Lock }).packages,
  app: 'billing',
  version: '0.1.0',
  license: 'Apache-2.0',
  own: new Map([['apps/billing', { name: '@centralita/billing', version: '0.1.0' }]]),
  vendor: new Map([
    ['node_modules/zod', []],
    ['node_modules/@nestjs/common', ['node_modules/zod']],
  ]),
  epoch,
});

describe('bill of materials', () => {
  it('is CycloneDX 1.6, with a digest for what comes from elsewhere', () => {
    const bom = recipe.billOfMaterials(input());
    expect(bomProblems(bom)).toEqual([]);
    const zod = bom.components.find(({ purl }) => purl.startsWith('pkg:npm/zod@'));
    expect(zod?.hashes).toHaveLength(1);
  });

  it('is the same for the same input, and another one for another', () => {
    const [one, two] = [recipe.billOfMaterials(input()), recipe.billOfMaterials(input())];
    expect(one).toEqual(two);
    const other = input();
    other.vendor.delete('node_modules/zod');
    expect(recipe.billOfMaterials(other).serialNumber).not.toBe(one.serialNumber);
  });

  it('is refused by the schema when something is not as it must be', () => {
    const bom = { ...recipe.billOfMaterials(input()), specVersion: 'x', serialNumber: 'no' };
    expect(bomProblems(bom).length).toBeGreaterThan(0);
  });
});
