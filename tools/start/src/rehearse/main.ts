import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { Progress } from '../progress.js';
import { rehearse } from './rehearsal.js';

const options = new Command('npm run rehearse --')
  .description(
    'Loses a Kafka cluster and gets it back from the archive, with the same digests. Exit 0 only if all of them are equal.',
  )
  .option('--seed <number>', 'input of the day', Number, 1)
  .option('--customers <number>', 'size of the day', Number, 60)
  .option('--report <file>', 'write what was compared, and how long each step took, as JSON')
  .allowExcessArguments(false)
  .parse(process.argv)
  .opts<{ seed: number; customers: number; report?: string }>();

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
const progress = new Progress();
try {
  const result = await rehearse({ ...options, signal: abort.signal, progress });
  const { records, segments, logDigest, equal, seconds } = result;
  progress.line('');
  progress.line(`${records.toLocaleString('en')} records in ${segments.toLocaleString('en')} segments, log ${logDigest}`);
  for (const [what, same] of Object.entries(equal)) progress.line(`${same ? 'EQUAL' : 'DIFFERENT'}  ${what}`);
  for (const [step, taken] of Object.entries(seconds)) progress.line(`${step.padEnd(10)} ${taken.toFixed(1).padStart(7)} s`);
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = Object.values(equal).every(Boolean) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
