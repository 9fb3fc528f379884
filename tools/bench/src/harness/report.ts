import type { Bench } from '../bench.js';
import type { Machine } from './machine.js';
import type { CaseResult, Round } from './rounds.js';

type Spread = { readonly median: number; readonly min: number; readonly max: number };
type Figures = {
  readonly perSecond: Spread;
  /** Latencies and the like, as the bench names them. */
  readonly others: Readonly<Record<string, Spread>>;
  /** Microseconds a message, of the side's processes and of the engines. */
  readonly cpuPerMessage: Spread | null;
  readonly enginesCpuPerMessage: Spread | null;
  readonly rounds: readonly Round[];
};
export type CaseReport = {
  readonly id: string;
  readonly goal: number | null;
  readonly ratioOf: 'rate' | 'cpu';
  readonly ratio: Spread;
  /** Their processor time a message over ours: steadier than rates where cores are shared. */
  readonly cpuRatio: Spread | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly leastPerSecond: number | null;
  readonly ours: Figures;
  readonly baseline: Figures & { readonly what: string };
};
/** The first four fields are those of the case that is furthest from its goal. */
export type BenchReport = Pick<CaseReport, 'id' | 'ratio' | 'ours' | 'baseline'> & {
  readonly machine: Machine;
  readonly cases: readonly CaseReport[];
};

export const spread = (values: readonly number[]): Spread => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
};

const perMessage = (rounds: readonly Round[], time: (round: Round) => number | null): Spread | null => {
  const values = rounds.flatMap((round) => {
    const spent = time(round);
    return spent === null ? [] : [spent / round.messages];
  });
  return values.length === rounds.length ? spread(values) : null;
};

const figures = (rounds: readonly Round[]): Figures => ({
  perSecond: spread(rounds.map(({ perSecond }) => perSecond)),
  others: Object.fromEntries(
    Object.keys(rounds[0]?.figures ?? {}).map((name) => [name, spread(rounds.map((round) => round.figures[name] ?? Number.NaN))]),
  ),
  cpuPerMessage: perMessage(rounds, ({ processor }) => processor),
  enginesCpuPerMessage: perMessage(rounds, ({ engines }) => engines),
  rounds,
});

export const caseReport = (bench: Bench, { case: one, rounds }: CaseResult): CaseReport => {
  const ratioOf = one.ratioOf ?? 'rate';
  const cost = (round: Round | undefined): number => (round?.processor ?? Number.NaN) / (round?.messages ?? Number.NaN);
  // Round by round: neighbours in time had the same machine.
  const rates = rounds.ours.map(({ perSecond }, index) => perSecond / (rounds.theirs[index]?.perSecond ?? Number.NaN));
  const costs = rounds.ours.map((ours, index) => cost(rounds.theirs[index]) / cost(ours));
  return {
    id: `${bench.id} ${one.name}`,
    goal: one.goal,
    ratioOf,
    ratio: spread(ratioOf === 'rate' ? rates : costs),
    cpuRatio: costs.some(Number.isNaN) ? null : spread(costs),
    limits: one.limits ?? {},
    leastPerSecond: one.leastPerSecond ?? null,
    ours: figures(rounds.ours),
    baseline: { what: bench.baseline, ...figures(rounds.theirs) },
  };
};

export const benchReport = (cases: readonly CaseReport[], machine: Machine): BenchReport => {
  const distance = ({ ratio, goal }: CaseReport): number => ratio.median / (goal ?? 1);
  const worst = cases.reduce((left, right) => (distance(right) < distance(left) ? right : left));
  return { id: worst.id, ratio: worst.ratio, ours: worst.ours, baseline: worst.baseline, machine, cases };
};

const number = (value: number, digits = value < 100 ? 2 : 0): string => value.toFixed(digits);
const range = ({ median, min, max }: Spread): string => `${number(median)} (${number(min)} to ${number(max)})`;

export const roundLine = (side: string, index: number, round: Round): string => {
  const { messages, seconds, perSecond, processor, engines, figures: others } = round;
  const per = (time: number | null): string => (time === null ? 'not known' : `${number(time / messages, 1)} us`);
  const more = Object.entries(others).map(([name, value]) => `, ${name} ${number(value)}`);
  const name = index < 0 ? 'warm-up' : `round ${index + 1}`;
  return `  ${name.padEnd(8)} ${side.padEnd(6)} ${String(messages).padStart(8)} messages in ${number(seconds)} s = ${number(perSecond, 0)}/s, CPU a message ${per(processor)}, of the engines ${per(engines)}${more.join('')}`;
};

export const caseLines = ({
  id,
  goal,
  ratioOf,
  ratio,
  cpuRatio,
  limits,
  leastPerSecond,
  ours,
  baseline,
}: CaseReport): string[] => {
  const side = (name: string, { perSecond, cpuPerMessage, others }: Figures): string => {
    const cpu = cpuPerMessage === null ? 'CPU not known' : `${range(cpuPerMessage)} us CPU a message`;
    return [
      `    ${name}: ${range(perSecond)} messages/s`,
      cpu,
      ...Object.entries(others).map(([name, one]) => `${name} ${range(one)}`),
    ].join(', ');
  };
  const reached = (is: boolean): string => (is ? 'reached' : 'NOT reached');
  const wanted = goal === null ? '' : `; goal ${number(goal)}: ${reached(ratio.median >= goal)}`;
  return [
    `${id}: ratio of ${ratioOf === 'rate' ? 'messages/s' : 'CPU a message'} ${range(ratio)}${wanted}`,
    ...(ratioOf === 'cpu' || cpuRatio === null ? [] : [`    ratio of CPU a message ${range(cpuRatio)}`]),
    side('ours', ours),
    side('theirs', baseline),
    ...Object.entries(limits).map(([name, most]) => {
      const median = ours.others[name]?.median ?? Number.NaN;
      return `    ${name} at most ${most}: ${reached(median <= most)}`;
    }),
    ...(leastPerSecond === null
      ? []
      : [`    at least ${leastPerSecond} messages/s: ${reached(ours.perSecond.median >= leastPerSecond)}`]),
  ];
};

export const machineLines = (machine: Machine): string[] => Object.entries(machine).map(([name, value]) => `  ${name}: ${value}`);
