import { mkdir, writeFile } from 'node:fs/promises';
import { benches } from './benches/index.js';
import type { Ground } from './bench.js';
import { startBenchEngines } from './harness/engines.js';
import { coresToUse, describeMachine, pin, type Machine } from './harness/machine.js';
import { parseOptions, type Options } from './harness/options.js';
import { benchReport, caseLines, caseReport, machineLines, roundLine, type CaseReport } from './harness/report.js';
import { runCase, type RoundOptions } from './harness/rounds.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const runAll = async ({ bench, cases, json, ...options }: Options, ground: Ground, machine: Machine): Promise<CaseReport[]> => {
  const reports: CaseReport[] = [];
  const made = await bench.setUp(ground);
  if (options.profile !== null) await mkdir(options.profile, { recursive: true });
  for (const one of cases) {
    print(`\n== ${bench.id} ${one.name}`);
    const onRound: RoundOptions['onRound'] = (side, index, round) => print(roundLine(side, index, round));
    const result = await runCase(bench, one, { ...ground, made }, { ...options, onRound });
    const report = caseReport(bench, result);
    reports.push(report);
    for (const line of caseLines(report)) print(line);
    // After each case: an hour of measuring is not lost to what comes last.
    if (json !== null) await writeFile(json, JSON.stringify(benchReport(reports, machine), null, 2));
  }
  return reports;
};

const options = parseOptions(process.argv.slice(2), benches);
const { bench } = options;
const cores = options.pin && bench.pinned !== false ? coresToUse() : null;
if (cores !== null) pin(process.pid, cores.rest);
print(`${bench.id}: ${bench.what}\nbaseline: ${bench.baseline}`);
const engines = await startBenchEngines(new Set(bench.engines), cores);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void engines.stop().finally(() => process.exit(130)));
try {
  const machine = await describeMachine(engines, cores);
  for (const line of machineLines(machine)) print(line);
  const { databaseUrl, brokers, folder, own } = engines;
  const reports = await runAll(options, { databaseUrl, brokers, folder, cores, engines: own, made: {} }, machine);
  print('\nIn one run, on one machine:');
  for (const line of reports.flatMap(caseLines)) print(line);
} catch (error) {
  process.stderr.write(`${bench.id} ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await engines.stop();
}
