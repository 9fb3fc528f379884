import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { referencePages } from './pages.js';
import { repository } from './repository.js';

describe('docs/reference', () => {
  it('says what the routes and the settings say: see tools/reference/README.md to write it again', async () => {
    const pages = await referencePages();
    expect([...pages.keys()]).toContain('docs/reference/settings.md');
    for (const [path, contents] of pages)
      expect({ path, contents: readFileSync(join(repository, path), 'utf8') }).toEqual({ path, contents });
  });
});
