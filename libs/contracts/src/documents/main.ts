import { writeDocuments } from './write.js';

const { written, changedReleases } = writeDocuments(process.cwd());
for (const path of written) process.stdout.write(`wrote ${path}\n`);
if (changedReleases.length > 0) {
  process.stderr.write(
    `These differ from what was released and were left alone:\n${changedReleases.map((path) => `  ${path}\n`).join('')}Records on the log promise the released form: add a new type (…v2) with an upcaster instead.\n`,
  );
  process.exitCode = 1;
}
