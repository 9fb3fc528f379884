import { writeFileSync } from 'node:fs';
import { refused, sentencesOf, valuesOf } from './refused.js';

// Writes what the chart says now into the files of wrong values. The difference is to be read: each sentence must say how to mend them.
let rendered = 0;
for (const one of refused()) {
  const sentences = sentencesOf(valuesOf(one));
  if (sentences.length === 0) {
    rendered += 1;
    process.stderr.write(`${one.name} is rendered: nothing refuses it\n`);
    continue;
  }
  writeFileSync(one.file, `${sentences.map((sentence) => `# ${sentence}\n`).join('')}${one.body}`);
}
process.exitCode = rendered === 0 ? 0 : 1;
