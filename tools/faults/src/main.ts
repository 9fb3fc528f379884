import { Random } from '@centralita/tool-simulator';
import { playDay, runChecks, type CheckResult } from '@centralita/tool-start';
import { Command } from 'commander';
import { withStack } from './harness/stack.js';
import type { Scenario } from './scenario.js';
import { crashPoints } from './scenarios/crash-points.js';
import { kills } from './scenarios/kills.js';

const scenarios: readonly Scenario[] = [kills, crashPoints];

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Plays a day, does the faults meanwhile, and holds what is left against what was done. */
const run = (scenario: Scenario, seed: number): Promise<readonly CheckResult[]> => {
  const { name, customers, brokers, faults } = scenario;
  return withStack({ scenario: name, seed, customers, ...(brokers ? { brokers } : {}), print }, async (stack) => {
    const day = playDay(stack.context);
    day.catch(() => undefined);
    await Promise.all([faults(stack, new Random(seed, name), (line) => print(`  ${line}`)), day]);
    for (const death of stack.fleet.deaths) print(`  ${death.name} ended: ${death.how}`);
    return runChecks(stack.context, await day);
  });
};

const options = new Command('npm run test:faults --')
  .description('Hurts a running platform in every way that one machine allows, and judges what is left.')
  .option('--only <text>', 'only scenarios whose name contains this')
  .option('--seed <number>', 'first seed', (text) => Number(text), 1)
  .option('--seeds <count>', 'how many seeds of each scenario', (text) => Number(text), 1)
  .option('--bounded', 'only the subset that npm test runs', false)
  .parse()
  .opts<{ only?: string; seed: number; seeds: number; bounded: boolean }>();

let [passed, failed] = [0, 0];
for (const scenario of scenarios.filter(
  ({ name, bounded }) => name.includes(options.only ?? '') && (bounded || !options.bounded),
))
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    print(`\n== ${scenario.name} (seed ${seed}): ${scenario.what}`);
    const checks = await run(scenario, seed);
    for (const { id, name, status, figures } of checks) {
      if (status === 'PASS') passed += 1;
      else failed += 1;
      print(`${status} ${id} ${name}: ${JSON.stringify(figures)}`);
    }
  }
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
