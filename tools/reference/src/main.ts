import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './pages.js';
import { repository } from './repository.js';

for (const [path, contents] of await referencePages()) {
  writeFileSync(join(repository, path), contents);
  process.stdout.write(`wrote ${path}\n`);
}
