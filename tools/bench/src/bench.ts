/** Where things are, and on which core. Cores are null where processes cannot be pinned. */
export type Ground = {
  /** Postgres, superuser. */
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly cores: Cores | null;
  /** Processes of engines that this run has started, for their processor time. */
  readonly engines: Readonly<Record<string, number>>;
  /** A folder of this run. */
  readonly folder: string;
  /** What the bench's own `setUp` has made: the same for both sides and all rounds. */
  readonly made: Readonly<Record<string, string>>;
};
export type Cores = { readonly side: number; readonly rest: string };

export type Case = {
  readonly name: string;
  /** The least ratio that we want; null where only a figure is of interest. */
  readonly goal: number | null;
  /** What the ratio is of: messages per second, or CPU per message where the rate is given. @default 'rate' */
  readonly ratioOf?: 'rate' | 'cpu';
  /** The most that our median of a figure of {@link Work.figures} may be. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The fewest messages a second that our median may be. */
  readonly leastPerSecond?: number;
  /** Runs only where `--full` asks for it: it takes long, and much of the disk. */
  readonly full?: boolean;
  readonly parameters: Readonly<Record<string, number>>;
};

/** One round of one side. Connections are open and everything is made that is not to be measured. */
export type Work = {
  /** The part that is measured: by the clock, and by the processor time of {@link Side.processes}. */
  run(): Promise<void>;
  /** Messages that are really there, read back by their ids. Those that were acknowledged and are not there throw. */
  confirmed(): Promise<number>;
  /** Other figures of the round: latencies in milliseconds, bytes. */
  figures?(): Readonly<Record<string, number>>;
};

export type Side = {
  /**
   * Roots of the processes whose time counts, by what they are. Where there are several, the share of each is printed as well.
   * @default the process that the side runs in
   */
  readonly processes?: Readonly<Record<string, number>>;
  /** Engines of its own, beside those of the run. */
  readonly engines?: Readonly<Record<string, number>>;
  prepare(seconds: number): Promise<Work>;
  close(): Promise<void>;
};

/** A comparison. Each side is opened once a case, in a process of its own that lives for all rounds. */
export type Bench = {
  readonly id: string;
  readonly what: string;
  readonly baseline: string;
  readonly engines: readonly ('postgres' | 'kafka')[];
  /** False where both sides are several processes: they, engines and load share all cores. @default true */
  readonly pinned?: boolean;
  readonly cases: readonly Case[];
  /** Runs once, before both sides. */
  setUp(ground: Ground): Promise<Readonly<Record<string, string>>>;
  ours(ground: Ground, parameters: Case['parameters']): Promise<Side>;
  theirs(ground: Ground, parameters: Case['parameters']): Promise<Side>;
};

export const sides = ['ours', 'theirs'] as const;
export type SideName = (typeof sides)[number];
