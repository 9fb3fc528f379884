import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../catalogue.js';
import { asyncApi } from './asyncapi.js';
import { cataloguePage } from './catalogue-page.js';
import { dataSchemas } from './json-schema.js';
import { sampleEvent } from './sample.js';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Documents that follow the catalogue: path below the repository root and contents. */
export const generatedDocuments = (): ReadonlyMap<string, string> =>
  new Map([
    ['libs/contracts/generated/asyncapi.json', json(asyncApi())],
    ['libs/contracts/generated/json-schema.json', json(dataSchemas())],
    ['docs/reference/events.md', `${cataloguePage()}`],
  ]);

/**
 * Released schemas and fixtures: written once per event type, never again. What a released file says was promised to every record on the
 * log, so a change of meaning is a new type (`….v2`) with an upcaster.
 */
export const releasedFiles = (): ReadonlyMap<string, string> => {
  const schemas = dataSchemas();
  return new Map(
    catalogue.flatMap((definition) => [
      [`libs/contracts/released/${definition.type}.schema.json`, json(schemas[definition.type])] as const,
      [`libs/contracts/fixtures/${definition.type}.json`, json(sampleEvent(definition.type))] as const,
    ]),
  );
};

/** Writes the generated documents, and those released files that do not exist yet. Names the files that differ from their release. */
export const writeDocuments = (root: string): { written: string[]; changedReleases: string[] } => {
  const written: string[] = [];
  const changedReleases: string[] = [];
  const put = (path: string, contents: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), contents);
    written.push(path);
  };
  for (const [path, contents] of generatedDocuments()) if (!sameFile(root, path, contents)) put(path, contents);
  for (const [path, contents] of releasedFiles()) {
    if (!existsSync(join(root, path))) put(path, contents);
    else if (!sameFile(root, path, contents)) changedReleases.push(path);
  }
  return { written, changedReleases };
};

const sameFile = (root: string, path: string, contents: string): boolean =>
  existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === contents;
