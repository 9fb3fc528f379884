/** What a command touches of the outside. Passed in, so that tests run commands without processes and files. */
export type Io = {
  readonly readFile: (path: string) => Promise<Uint8Array>;
  /** For files that may be longer than memory. */
  readonly readLines: (path: string) => AsyncIterable<string>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** A new file that is written bit by bit; whatever stood there is gone. */
  readonly openFile: (path: string) => Promise<OpenFile>;
  /** Runs the program of a service with the environment of this process; null when it is not installed beside this one. */
  readonly runService: (service: string, args: readonly string[]) => Promise<RanService | null>;
  readonly fetch: typeof fetch;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
};
export type RanService = { readonly exitCode: number; readonly out: readonly string[]; readonly err: readonly string[] };
export type OpenFile = { readonly write: (text: string) => Promise<void>; readonly close: () => Promise<void> };

/** The command line was wrong or a file cannot be read: sysexits' EX_USAGE, apart from every verdict. */
export const EXIT_USAGE = 64;
/** What the command needs is not there, a broker or the build: sysexits' EX_UNAVAILABLE. It says nothing about what was to be checked. */
export const EXIT_UNAVAILABLE = 69;

/** The service does not let the caller: sysexits' EX_NOPERM. */
export const EXIT_REFUSED = 77;

/** A command sets its exit code here; commander's actions cannot return one. */
export type Outcome = { exitCode: number };

/** Why a file could not be read or written, without its path or contents: the code of the system, as `ENOENT`. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
