import { sides, type Bench, type Case, type Ground, type SideName } from '../bench.js';
import { processorTime } from './cpu.js';
import type { RunningEngines } from './engines.js';
import { SideProcess, type Sample } from './side-process.js';

/** A round of one side, with what the engines spent meanwhile (microseconds; null when they are not ours). */
export type Round = Sample & { readonly perSecond: number; readonly engines: number | null };

export type CaseResult = {
  readonly case: Case;
  readonly rounds: Readonly<Record<SideName, readonly Round[]>>;
};

export type RoundOptions = {
  readonly rounds: number;
  readonly warmUp: number;
  readonly seconds: number;
  readonly profile: string | null;
  readonly onRound: (side: SideName, index: number, round: Round) => void;
};

const enginesTime = ({ own }: RunningEngines): number | null => {
  const times = [own.postgres, own.kafka].flatMap((pid) => (pid === null ? [] : (processorTime(pid) ?? [])));
  return times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0);
};

/** Both sides in turn, A B A B: what changes on the machine meanwhile meets both. Warm-up rounds are not in the result. */
export const runCase = async (
  bench: Bench,
  one: Case,
  ground: Ground,
  engines: RunningEngines,
  options: RoundOptions,
): Promise<CaseResult> => {
  const result: Record<SideName, Round[]> = { ours: [], theirs: [] };
  const running = new Map<SideName, SideProcess>();
  try {
    for (const side of sides) {
      const process = new SideProcess(ground, options.profile);
      running.set(side, process);
      await process.ask({ ask: 'open', bench: bench.id, side, ground, parameters: one.parameters });
    }
    for (let index = -options.warmUp; index < options.rounds; index += 1)
      for (const [side, process] of running) {
        const before = enginesTime(engines);
        const sample = await process.ask({ ask: 'round', seconds: options.seconds });
        const after = enginesTime(engines);
        if (sample === undefined) throw new Error('a round came back without figures');
        const spent = before === null || after === null ? null : after - before;
        const round = { ...sample, perSecond: sample.messages / sample.seconds, engines: spent };
        if (index >= 0) result[side].push(round);
        options.onRound(side, index, round);
      }
  } finally {
    for (const process of running.values()) await process.end();
  }
  return { case: one, rounds: result };
};
