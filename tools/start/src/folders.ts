import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removePostgres } from '@centralita/testing-engines';
import { StartProblem } from './problem.js';

export const projectRoot = join(import.meta.dirname, '..', '..', '..');

/** Everything that a start leaves on disk. `npm run reset` removes the whole of `.centralita`. */
export type Folders = {
  state: string;
  kafka: string;
  postgres: string;
  media: string;
  logs: string;
  secrets: string;
  checks: string;
};

/** A checked run judges everything it finds, so it gets data of its own. */
export const foldersOf = (once: boolean): Folders =>
  foldersIn(once ? join(projectRoot, '.centralita', 'once') : join(projectRoot, '.centralita'));

export const foldersIn = (state: string): Folders => {
  const below = (name: string): string => join(state, name);
  return {
    state,
    kafka: below('kafka'),
    postgres: below('postgres'),
    media: below('media'),
    logs: below('logs'),
    secrets: below('secrets'),
    checks: below('checks'),
  };
};

export const removeData = async (folders: Folders): Promise<void> => {
  await removePostgres(folders.postgres);
  for (const folder of [folders.kafka, folders.media, folders.logs, folders.secrets, folders.checks])
    await rm(folder, { recursive: true, force: true });
};

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Takes the folder for this process; two launchers on one folder would share one Postgres data directory. */
export const claim = async (folders: Folders, options: { fresh: boolean }): Promise<() => Promise<void>> => {
  await mkdir(folders.state, { recursive: true });
  const file = join(folders.state, 'launcher.pid');
  if (existsSync(file)) {
    const pid = Number(await readFile(file, 'utf8'));
    if (pid !== process.pid && pid > 0 && alive(pid))
      throw new StartProblem(`npm start is already running here (pid ${pid}): stop it with Ctrl-C there, or kill ${pid}`);
  }
  await writeFile(file, String(process.pid));
  if (options.fresh) await removeData(folders);
  for (const folder of [folders.media, folders.logs]) await mkdir(folder, { recursive: true });
  await mkdir(folders.secrets, { recursive: true, mode: 0o700 });
  return () => rm(file, { force: true });
};
