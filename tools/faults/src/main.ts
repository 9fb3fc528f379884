import { Random } from '@centralita/tool-simulator';
import { Facts, playDay, runChecks, untilSettled } from '@centralita/tool-start';
import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { collectHistory } from './collect/collect.js';
import { instrument } from './collect/instruments.js';
import { replaysOf } from './collect/replays.js';
import { withStack } from './harness/stack.js';
import type { Scenario } from './scenario.js';
import { report, reportOwn, type Counted } from './verdict.js';
import { badDay } from './scenarios/bad-day.js';
import { brokerKill } from './scenarios/broker-kill.js';
import { clockJumps } from './scenarios/clock-jumps.js';
import { crashPoints } from './scenarios/crash-points.js';
import { dumpRestore } from './scenarios/dump-restore.js';
import { frozenConsumer } from './scenarios/frozen-consumer.js';
import { frozenWriter } from './scenarios/frozen-writer.js';
import { fullDisk } from './scenarios/full-disk.js';
import { identityRaces } from './scenarios/identity-races.js';
import { kills } from './scenarios/kills.js';
import { leaderKill } from './scenarios/leader-kill.js';
import { logTail } from './scenarios/log-tail.js';
import { poison } from './scenarios/poison.js';
import { postgresKill } from './scenarios/postgres-kill.js';
import { producerExpiry } from './scenarios/producer-expiry.js';
import { redeliveries } from './scenarios/redeliveries.js';
import { slowClients } from './scenarios/slow-clients.js';
import { thirdWriter } from './scenarios/third-writer.js';
import { yesterdaysDump } from './scenarios/yesterdays-dump.js';

const scenarios: readonly Scenario[] = [
  kills,
  crashPoints,
  frozenConsumer,
  frozenWriter,
  brokerKill,
  leaderKill,
  postgresKill,
  dumpRestore,
  yesterdaysDump,
  logTail,
  producerExpiry,
  fullDisk,
  redeliveries,
  poison,
  clockJumps,
  badDay,
  identityRaces,
  slowClients,
  thirdWriter,
];

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Plays a day, does the faults meanwhile, and holds what is left against what was done: by the checks of the day and by the checker. */
const run = (scenario: Scenario, seed: number): Promise<Counted> => {
  const { name, faults } = scenario;
  return withStack({ ...scenario, scenario: name, seed, print }, async (stack) => {
    await instrument(stack.context);
    const playing = playDay(stack.context);
    playing.catch(() => undefined);
    const [meanwhile, day] = await Promise.all([faults(stack, new Random(seed, name), (line) => print(`  ${line}`)), playing]);
    print(
      `  ${stack.fleet.deaths.length} processes ended: ${stack.fleet.deaths.map((death) => `${death.name} (${death.how})`).join(', ')}`,
    );
    const checks = await runChecks(stack.context, day);
    for (const { id, name: check, status, figures } of checks.filter((one) => one.status === 'FAIL'))
      print(`${status} check ${id} of the day, ${check}: ${JSON.stringify(figures)}`);
    const failedChecks = checks.filter(({ status }) => status === 'FAIL').length;

    const replayed = await replaysOf(stack.context, day);
    const random = new Random(seed, `${name}, afterwards`);
    const afterwards = await scenario.afterwards?.(stack, random, (line) => print(`  ${line}`));
    const own = [meanwhile, afterwards].filter((one) => typeof one === 'object');
    // Checks read over the public API too, and what they were shown is to be recorded, ordered and published before it is counted.
    await untilSettled(stack.context);
    const facts = await Facts.gather(stack.context, day);
    const history = await collectHistory(
      facts,
      name,
      replayed,
      own.flatMap(({ deliveries }) => deliveries),
    ).finally(() => facts.close());
    const file = join(stack.context.folders.state, `history-${seed}.json`);
    await writeFile(file, JSON.stringify(history));
    const counts = [report(history, print)];
    for (const one of own) counts.push(reportOwn(one, await one.judge(facts, history), print));
    print(`  history: ${file}`);
    const sum = (of: keyof Counted): number => counts.reduce((total, counted) => total + counted[of], 0);
    return { passed: sum('passed') + checks.length - failedChecks, failed: sum('failed') + failedChecks };
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
    // What breaks one scenario says nothing about the next.
    const counted = await run(scenario, seed).catch((error: unknown): Counted => {
      print(`FAIL the scenario could not be played: ${inspect(error)}`);
      return { passed: 0, failed: 1 };
    });
    passed += counted.passed;
    failed += counted.failed;
  }
print(`${passed} passed, ${failed} failed`);
// People of a day that was broken off are still pressing Retry.
process.exit(failed === 0 && passed > 0 ? 0 : 1);
