import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { chartVersion, kept, releasedFile, releasedVersions, renderedNow } from './released.js';

// Keeps what the chart renders, at a release: later charts are compared with it. A version that was kept is changed by --again alone.
const version = chartVersion();
if (releasedVersions().includes(version) && !process.argv.includes('--again')) {
  process.stderr.write(
    `chart ${version} is kept already: raise the version in Chart.yaml, or say --again while it is not released\n`,
  );
  process.exit(1);
}
for (const name of Object.keys(kept)) {
  const file = releasedFile(version, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, renderedNow(name));
  process.stdout.write(`kept ${file}\n`);
}
