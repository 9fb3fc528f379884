import { execFile } from 'node:child_process';
import { chown, cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Under which account the server runs. Postgres refuses root, so for root it needs another account that can reach the binaries and the
 * data. A clone in root's home or in a folder of mode 0700 is unreachable for every other account: a user namespace, in which
 * root's own files belong to `nobody`, solves that without moving anything.
 */
export type Account = {
  kind: 'self' | 'namespace' | 'nobody';
  /** Owner of the files that the server must read. */
  uid: number;
  /** Folder with initdb and postgres. */
  binaries: string;
  /** The server's data directory. */
  data: string;
  /** What the user should know, when something had to be put elsewhere. */
  notice: string | null;
  commandLine(program: string, args: readonly string[]): [string, string[]];
};

// In a namespace an id without a name fails in initdb ("user does not exist"); nobody has one everywhere.
const nobody = 65_534;

const succeeds = ([command, args]: [string, string[]]): Promise<boolean> =>
  new Promise((resolve) => {
    // Named, since a test runner may have a process.env of its own.
    execFile(command, args, { cwd: '/', env: process.env }, (error) => resolve(error === null));
  });

const inNamespace = (program: string, args: readonly string[]): [string, string[]] => [
  'unshare',
  ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, program, ...args],
];

const asNobody = (program: string, args: readonly string[]): [string, string[]] => [
  'setpriv',
  [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', program, ...args],
];

const hasName = (): boolean => {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
};

const giveTo = async (folder: string, uid: number): Promise<void> => {
  await chown(folder, uid, uid);
  for (const entry of await readdir(folder, { recursive: true })) await chown(join(folder, entry), uid, uid);
};

/** Chooses the account for the binaries in `native` (with bin/ and lib/) and the data below `folder`, which must exist. */
export const chooseAccount = async (native: string, folder: string, uid = process.getuid?.() ?? -1): Promise<Account> => {
  const data = join(folder, 'data');
  const binaries = join(native, 'bin');
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (uid !== 0) {
    // A container may run under an id without a name, which initdb refuses; in the namespace it has one.
    if (hasName())
      return { kind: 'self', uid, binaries, data, notice: null, commandLine: (program, args) => [program, [...args]] };
    return { kind: 'namespace', uid, binaries, data, notice: null, commandLine: inNamespace };
  }

  const reaches = async (
    line: (program: string, args: string[]) => [string, string[]],
    bin: string,
    target: string,
  ): Promise<boolean> =>
    (await succeeds(line(join(bin, 'postgres'), ['--version']))) && (await succeeds(line('test', ['-w', target])));

  if ((await stat(data)).uid !== 0) await giveTo(data, 0);
  if (await reaches(inNamespace, binaries, data))
    return { kind: 'namespace', uid, binaries, data, notice: null, commandLine: inNamespace };

  await giveTo(data, nobody);
  if (await reaches(asNobody, binaries, data))
    return { kind: 'nobody', uid: nobody, binaries, data, notice: null, commandLine: asNobody };

  // Neither works: a copy of the binaries and the data where everybody may go.
  const elsewhere = postgresElsewhere(folder);
  await mkdir(join(elsewhere, 'data'), { recursive: true });
  // For whoever cleans up without this code.
  await writeFile(join(folder, 'elsewhere'), elsewhere);
  await cp(native, join(elsewhere, 'native'), { recursive: true, verbatimSymlinks: true });
  await giveTo(join(elsewhere, 'data'), nobody);
  const copied = join(elsewhere, 'native', 'bin');
  const moved = join(elsewhere, 'data');
  if (!(await reaches(asNobody, copied, moved))) {
    throw new Error(
      `Postgres refuses to run as root and no other account can reach ${folder} or ${elsewhere}: start as an ordinary user, or set DATABASE_URL`,
    );
  }
  return {
    kind: 'nobody',
    uid: nobody,
    binaries: copied,
    data: moved,
    notice: `Postgres runs as "nobody", who cannot reach ${folder}: its binaries and data are in ${elsewhere}`,
    commandLine: asNobody,
  };
};

/** Where the data of `folder` goes when no other account can reach it. The same folder always gives the same place. */
export const postgresElsewhere = (folder: string): string =>
  join(tmpdir(), `centralita-postgres-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`);
