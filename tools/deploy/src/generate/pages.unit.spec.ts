import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Topics } from '@centralita/contracts';
import { repository } from '../repository.js';
import { factPages, readmePages, schemaPages } from './pages.js';
import { processes, producedBy } from './processes.js';

describe('what is made from the code and from values.yaml', () => {
  it.each([
    ['facts, migrations, topics and rights', factPages],
    ['schemas', schemaPages],
    ['README', async () => readmePages()],
  ])('is as `npm run chart` writes it: %s', async (_, pages) => {
    const written = await pages();
    expect(written.size).toBeGreaterThan(0);
    for (const [path, contents] of written)
      expect({ path: relative(repository, path), contents: readFileSync(path, 'utf8') }).toEqual({
        path: relative(repository, path),
        contents,
      });
  });
});

describe('facts of the processes', () => {
  it('let somebody write every topic, and a service what the catalogue says it produces', async () => {
    const facts = await processes();
    const written = new Set(Object.values(facts).flatMap(({ writes }) => writes));
    expect([...written].sort()).toEqual([...Topics].sort());
    for (const app of new Set(Object.values(facts).map((fact) => fact.app))) {
      if (app === 'cli' || app === 'gateway') continue;
      const ofApp = Object.values(facts).filter((fact) => fact.app === app);
      expect({ app, topics: [...new Set(ofApp.flatMap(({ writes }) => writes))].sort() }).toEqual({
        app,
        topics: producedBy(app),
      });
    }
  });

  it('let only members of a group read, and every reader has one', async () => {
    for (const [name, { reads, group }] of Object.entries(await processes()))
      expect({ name, reads: reads.length > 0 }).toEqual({ name, reads: group !== undefined });
  });
});
