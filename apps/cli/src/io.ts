/** What a command touches of the outside. Passed in, so that tests run commands without processes and files. */
export type Io = {
  readonly readFile: (path: string) => Promise<Uint8Array>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
};

/** The command line was wrong or a file cannot be read: sysexits' EX_USAGE, apart from every verdict. */
export const EXIT_USAGE = 64;

/** A command sets its exit code here; commander's actions cannot return one. */
export type Outcome = { exitCode: number };
