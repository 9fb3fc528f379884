import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { repository } from '../repository.js';
import { factPages, readmePages, schemaPages } from './pages.js';

// In this order: the schema describes values, and the README is made from a render with both.
for (const pages of [factPages, schemaPages, readmePages])
  for (const [path, contents] of await pages()) {
    writeFileSync(path, contents);
    process.stdout.write(`wrote ${relative(repository, path)}\n`);
  }
