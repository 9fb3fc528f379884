/** Where things are, and on which core. Cores are null where processes cannot be pinned. */
export type Ground = {
  /** Postgres, superuser. */
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly cores: Cores | null;
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
  readonly parameters: Readonly<Record<string, number>>;
};

/** One round of one side. Connections are open and everything is made that is not to be measured. */
export type Work = {
  /** The part that is measured: by the clock, and by the processor time of {@link Side.pid}. */
  run(): Promise<void>;
  /** Messages that are really there, read back by their ids. Those that were acknowledged and are not there throw. */
  confirmed(): Promise<number>;
  /** Other figures of the round: latencies in milliseconds, bytes. */
  figures?(): Readonly<Record<string, number>>;
};

export type Side = {
  /** Root of the processes whose time counts. @default the process that the side runs in */
  readonly pid?: number;
  prepare(seconds: number): Promise<Work>;
  close(): Promise<void>;
};

/** A comparison. Each side is opened once a case, in a process of its own that lives for all rounds. */
export type Bench = {
  readonly id: string;
  readonly what: string;
  readonly baseline: string;
  readonly engines: readonly ('postgres' | 'kafka')[];
  readonly cases: readonly Case[];
  /** Runs once, before both sides. */
  setUp(ground: Ground): Promise<Readonly<Record<string, string>>>;
  ours(ground: Ground, parameters: Case['parameters']): Promise<Side>;
  theirs(ground: Ground, parameters: Case['parameters']): Promise<Side>;
};

export const sides = ['ours', 'theirs'] as const;
export type SideName = (typeof sides)[number];
