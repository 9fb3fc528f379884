import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Bench, Case } from '../bench.js';

export type Options = {
  readonly bench: Bench;
  readonly cases: readonly Case[];
  readonly rounds: number;
  readonly warmUp: number;
  readonly seconds: number;
  /** Absolute paths. */
  readonly json: string | null;
  readonly profile: string | null;
  readonly pin: boolean;
};

type Given = Omit<Options, 'bench' | 'cases' | 'json' | 'profile'> & {
  only: string;
  full: boolean;
  json?: string;
  profile?: string;
};

const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
    return value;
  };

/** A path; an option that stands there was meant for something else. */
const path = (text: string): string => {
  if (text === '' || text.startsWith('-')) throw new InvalidArgumentError('It needs a path.');
  return resolve(text);
};

/** Found out before anything is measured, not after. */
const file = (text: string): string => {
  const target = path(text);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw new InvalidArgumentError('It is a folder.');
  try {
    accessSync(dirname(target), constants.W_OK);
  } catch {
    throw new InvalidArgumentError(`Nothing can be written in ${dirname(target)}.`);
  }
  return target;
};

/** Command line of the bench. What is wrong with it is told in one line, with exit code 1; `exits: false` throws instead. */
export const parseOptions = (argv: readonly string[], benches: readonly Bench[], exits = true): Options => {
  const known = benches.map(({ id }) => id).join(', ');
  const command = new Command('npm run bench --')
    .description('Runs us and what people would otherwise write in turn, in one run on one machine, and prints the ratio.')
    .argument('<id>', benches.map(({ id, what }) => `${id}: ${what}`).join('; '))
    .option('--rounds <count>', 'rounds of each side that count', whole(1), 5)
    .option('--warm-up <count>', 'rounds before them that do not', whole(0), 1)
    .option('--seconds <count>', 'length of a round, where the bench has no fixed amount of work', whole(1), 5)
    .option('--only <text>', 'only cases whose name contains this', '')
    .option('--full', 'also the cases that take long and much of the disk', false)
    .option('--json <file>', 'write the result, every round included', file)
    .option('--profile <folder>', 'write a CPU profile of each process of a side (figures are then not for quoting)', path)
    .option('--no-pin', 'leave the choice of cores to the kernel')
    .allowExcessArguments(false);
  if (!exits) command.exitOverride().configureOutput({ writeErr: () => undefined });
  const { only, full, json = null, profile = null, ...rest } = command.parse([...argv], { from: 'user' }).opts<Given>();
  const [wanted = ''] = command.args;
  const bench = benches.find(({ id }) => id.toLowerCase() === wanted.toLowerCase());
  if (bench === undefined) return command.error(`error: there is no bench '${wanted}'. There are ${known}.`);
  const named = bench.cases.filter(({ name }) => name.includes(only));
  const cases = named.filter((one) => full || one.full !== true);
  if (cases.length > 0) return { ...rest, bench, cases, json, profile };
  if (named.length > 0) return command.error(`error: '${only}' names only cases that --full would run.`);
  const names = bench.cases.map(({ name }) => `'${name}'`).join(', ');
  return command.error(`error: no case of ${bench.id} contains '${only}'. There are ${names}.`);
};
