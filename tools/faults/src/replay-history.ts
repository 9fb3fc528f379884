import { readFile } from 'node:fs/promises';
import { History } from '@centralita/testing-kit';
import { z } from 'zod';
import { report } from './verdict.js';

/** `tools/replay-history FILE`: judges a history that a fault run has saved. Exit 0: sound; 1: broken; 64, 66: nothing was judged. */
const main = async (file: string | undefined): Promise<number> => {
  if (file === undefined) {
    process.stderr.write('Usage: tools/replay-history FILE (a history saved by npm run test:faults)\n');
    return 64;
  }
  const read = await readFile(file, 'utf8').then(
    (text) => History.safeParse(JSON.parse(text)),
    (error: unknown) => error as Error,
  );
  if (read instanceof Error) {
    process.stderr.write(`${file} cannot be read: ${read.message}\n`);
    return 66;
  }
  if (!read.success) {
    process.stderr.write(`${file} is no history:\n${z.prettifyError(read.error)}\n`);
    return 66;
  }
  process.stdout.write(`${read.data.scenario}, seed ${read.data.seed}\n`);
  const { failed } = report(read.data, (line) => void process.stdout.write(`${line}\n`));
  return failed === 0 ? 0 : 1;
};

process.exitCode = await main(process.argv[2]);
