import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { benches } from './benches/index.js';
import type { Bench, Ground } from './bench.js';
import { startBenchEngines, type RunningEngines } from './harness/engines.js';
import { coresToUse, describeMachine, pin, type Machine } from './harness/machine.js';
import { benchReport, caseLines, caseReport, machineLines, roundLine, type CaseReport } from './harness/report.js';
import { runCase, type RoundOptions } from './harness/rounds.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('is no number above 0');
  return value;
};

type Options = {
  rounds: number;
  warmUp: number;
  seconds: number;
  only: string;
  json?: string;
  profile?: string;
  pin: boolean;
};

const program = new Command('npm run bench --')
  .description('Runs us and what people would otherwise write in turn, in one run on one machine, and prints the ratio.')
  .argument('<id>', benches.map(({ id, what }) => `${id}: ${what}`).join('; '))
  .option('--rounds <count>', 'rounds of each side that count', positive, 5)
  .option('--warm-up <count>', 'rounds before them that do not', positive, 1)
  .option('--seconds <count>', 'length of a round, where the bench has no fixed amount of work', positive, 5)
  .option('--only <text>', 'only cases whose name contains this', '')
  .option('--json <file>', 'write the result, every round included')
  .option('--profile <folder>', 'write a CPU profile of each process of a side (figures are then not for quoting)')
  .option('--no-pin', 'leave the choice of cores to the kernel')
  .parse();
const options = program.opts<Options>();
const [wanted = ''] = program.args;
const bench =
  benches.find(({ id }) => id.toLowerCase() === wanted.toLowerCase()) ??
  program.error(`there is no bench ${wanted}: ${benches.map(({ id }) => id).join(', ')}`);

const runAll = async (chosen: Bench, engines: RunningEngines, ground: Ground, machine: Machine): Promise<CaseReport[]> => {
  const reports: CaseReport[] = [];
  const made = await chosen.setUp(ground);
  const profile = options.profile === undefined ? null : resolve(options.profile);
  if (profile !== null) await mkdir(profile, { recursive: true });
  for (const one of chosen.cases.filter(({ name }) => name.includes(options.only))) {
    print(`\n== ${chosen.id} ${one.name}`);
    const { rounds, warmUp, seconds } = options;
    const onRound: RoundOptions['onRound'] = (side, index, round) => print(roundLine(side, index, round));
    const result = await runCase(chosen, one, { ...ground, made }, engines, { rounds, warmUp, seconds, profile, onRound });
    const report = caseReport(chosen, result);
    reports.push(report);
    for (const line of caseLines(report)) print(line);
    // After each case: an hour of measuring is not lost to what comes last.
    if (options.json !== undefined) await writeFile(options.json, JSON.stringify(benchReport(reports, machine), null, 2));
  }
  return reports;
};

const cores = options.pin ? coresToUse() : null;
if (cores !== null) pin(process.pid, cores.rest);
print(`${bench.id}: ${bench.what}\nbaseline: ${bench.baseline}`);
const engines = await startBenchEngines(new Set(bench.engines), cores);
const stop = (): void => void engines.stop().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
try {
  const machine = await describeMachine(engines, cores);
  for (const line of machineLines(machine)) print(line);
  const { databaseUrl, brokers, folder } = engines;
  const reports = await runAll(bench, engines, { databaseUrl, brokers, folder, cores, made: {} }, machine);
  print('\nIn one run, on one machine:');
  for (const line of reports.flatMap(caseLines)) print(line);
} finally {
  await engines.stop();
}
