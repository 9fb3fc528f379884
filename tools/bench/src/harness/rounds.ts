import { sides, type Bench, type Case, type Ground, type SideName } from '../bench.js';
import { SideProcess, type Sample } from './side-process.js';

/** A round of one side. */
export type Round = Sample & { readonly perSecond: number };

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
  /** What a side runs in. @default a process of its own */
  readonly startSide?: (ground: Ground, profile: string | null) => Pick<SideProcess, 'ask' | 'end'>;
};

const inProcess: NonNullable<RoundOptions['startSide']> = (ground, profile) => new SideProcess(ground, profile);

/** Both sides in turn, A B A B: what changes on the machine meanwhile meets both. Warm-up rounds are not in the result. */
export const runCase = async (bench: Bench, one: Case, ground: Ground, options: RoundOptions): Promise<CaseResult> => {
  const result: Record<SideName, Round[]> = { ours: [], theirs: [] };
  const { startSide = inProcess } = options;
  const running = new Map<SideName, ReturnType<typeof startSide>>();
  try {
    for (const side of sides) {
      const process = startSide(ground, options.profile);
      running.set(side, process);
      await process.ask({ ask: 'open', bench: bench.id, side, ground, parameters: one.parameters });
    }
    for (let index = -options.warmUp; index < options.rounds; index += 1)
      for (const [side, process] of running) {
        const sample = await process.ask({ ask: 'round', seconds: options.seconds });
        if (sample === undefined) throw new Error('a round came back without figures');
        const round = { ...sample, perSecond: sample.messages / sample.seconds };
        if (index >= 0) result[side].push(round);
        options.onRound(side, index, round);
      }
  } finally {
    for (const process of running.values()) await process.end();
  }
  return { case: one, rounds: result };
};
