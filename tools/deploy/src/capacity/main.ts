import { parseCommandLine, USAGE } from './options.js';
import { plan } from './model.js';
import { report } from './report.js';

const parsed = parseCommandLine(process.argv.slice(2));
if ('help' in parsed) process.stdout.write(`${USAGE}\n`);
else if ('problem' in parsed) {
  process.stderr.write(`${parsed.problem}\n\n${USAGE}\n`);
  process.exitCode = 64;
} else {
  const planned = plan(parsed.load);
  process.stdout.write(`${parsed.json ? JSON.stringify(planned, null, 2) : report(planned)}\n`);
}
