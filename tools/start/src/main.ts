import { MissingTool } from '@centralita/tool-kafka';
import { parseFlags } from './flags.js';
import { StartProblem } from './problem.js';
import { start } from './run.js';

const flags = parseFlags(process.argv.slice(2));
const abort = new AbortController();
const run = start(flags, abort.signal);

let first = 0;
const interrupt = (): void => {
  if (abort.signal.aborted) {
    // One Ctrl-C arrives up to three times: from the terminal, from npm and from the bootstrap. A second one, later, is meant.
    if (performance.now() - first < 1_500) return;
    run.kill();
    process.exit(130);
  }
  first = performance.now();
  abort.abort();
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

try {
  process.exitCode = await run.finished;
} catch (error) {
  const expected = error instanceof StartProblem || error instanceof MissingTool;
  console.error(`\n${expected ? error.message : error instanceof Error ? error.stack : String(error)}`);
  if (!expected && error instanceof Error && error.cause !== undefined) console.error('because of', error.cause);
  process.exitCode = error instanceof StartProblem ? error.exitCode : 1;
}
// What lost the race (a day that was interrupted) may still hold timers and sockets.
process.exit();
