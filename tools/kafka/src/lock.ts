import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const holderIsGone = async (file: string): Promise<boolean> => {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
};

/** Runs `work` while holding a lock file with our pid in it. A lock whose holder has died is taken over. */
export const withLock = async <T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(file), { recursive: true });
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (await holderIsGone(file)) await rm(file, { force: true });
      else if (Date.now() > deadline)
        throw new Error(`another process has held ${file} for ${timeoutMs / 1000} s; remove it if none runs`);
      else await pause(100);
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
};
