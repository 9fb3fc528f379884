import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import { catalogue } from '../catalogue.js';
import { decodeEvent, encodeEvent, type CloudEvent } from '../envelope.js';
import { asyncApi } from './asyncapi.js';
import { generatedDocuments, releasedFiles } from './write.js';

const root = join(import.meta.dirname, '../../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('released schemas and fixtures', () => {
  it.each([...releasedFiles()])('%s is what was released', (path, contents) => {
    expect(read(path)).toBe(contents);
  });

  it.each(catalogue.map((definition) => definition.type))('the released fixture of %s is still read by this build', (type) => {
    const fixture = JSON.parse(read(`libs/contracts/fixtures/${type}.json`)) as CloudEvent;
    const decoded = decodeEvent(encodeEvent(fixture));
    expect(decoded).toEqual({ event: fixture });
  });
});

describe('generated documents', () => {
  it.each([...generatedDocuments()])('%s is fresh (npm run contracts)', (path, contents) => {
    expect(read(path)).toBe(contents);
  });

  it('is a valid AsyncAPI 3 document', async () => {
    const { diagnostics, document } = await new Parser().parse(JSON.stringify(asyncApi()));
    expect(diagnostics.filter((diagnostic) => Number(diagnostic.severity) === 0)).toEqual([]);
    expect(document?.channels().all()).toHaveLength(9);
  });
});
