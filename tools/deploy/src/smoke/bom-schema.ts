import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { repository } from '../repository.js';

// Hoisted or not: npm decides.
const homes = ['node_modules', 'node_modules/@cyclonedx/cyclonedx-npm/node_modules'];

/** The schema of CycloneDX 1.6 with those that it refers to, as CycloneDX' own library carries them. */
const compile = (): ValidateFunction => {
  const folder = homes.map((home) => join(repository, home, '@cyclonedx/cyclonedx-library/res/schema')).find(existsSync);
  if (!folder) throw new Error('the schemas of CycloneDX are not installed: they come with @cyclonedx/cyclonedx-npm');
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const read = (name: string): object => JSON.parse(readFileSync(join(folder, name), 'utf8')) as object;
  for (const name of readdirSync(folder).filter((one) => /^(cryptography-defs|jsf|spdx).*\.json$/.test(one)))
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}`);
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'));
};

let validate: ValidateFunction | null = null;

/** What is wrong with a bill of materials; nothing when it is one. */
export const bomProblems = (bom: unknown): string[] => {
  validate ??= compile();
  return validate(bom) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};
