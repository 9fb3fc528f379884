import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { repository } from '../repository.js';
import { chartPages } from './pages.js';

for (const [path, contents] of await chartPages()) {
  writeFileSync(path, contents);
  process.stdout.write(`wrote ${relative(repository, path)}\n`);
}
