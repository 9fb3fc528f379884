import { writeFileSync } from 'node:fs';
import { comparisonFile, comparisonPage } from './page.js';

writeFileSync(comparisonFile, comparisonPage());
process.stdout.write(`wrote ${comparisonFile}\n`);
