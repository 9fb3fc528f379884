import { testRules } from './promtool.js';
import { alertTestNames, renderedRules } from './rules.js';

// `npm run test:alerts [Alert …]`: promtool on the rules that the chart renders.
try {
  const wanted = process.argv.slice(2);
  const { status, output } = testRules(renderedRules(), wanted.length > 0 ? wanted : alertTestNames());
  process.stdout.write(output);
  process.exitCode = status;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
