import { execFile } from 'node:child_process';
import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A disk of a few megabytes, in memory, mounted over a folder. */
export class SmallDisk {
  private constructor(private readonly folder: string) {}

  /** Fails where this process may not mount, saying so: a fault that cannot be played has not passed. */
  static async mount(folder: string, megabytes: number): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'centralita-faults', folder]).catch(
      (error: unknown) => {
        const reason = error instanceof Error ? error.message.trim() : String(error);
        throw new Error(
          `NOT PLAYED: the log cannot be given a small disk of its own here, mounting one takes root on Linux (${reason})`,
        );
      },
    );
    return new SmallDisk(folder);
  }

  /** Takes away what a run that was killed has left mounted there. */
  static async clear(folder: string): Promise<void> {
    const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
    const left = mounts.split('\n').filter((line) => line.split(' ')[1] === folder).length;
    for (let nth = 0; nth < left; nth += 1) await run('umount', [folder]);
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  /** Puts a file there that leaves so many bytes, or none when others take them meanwhile; gives its size. */
  async fill(leaving: number): Promise<number> {
    const size = Math.max(0, (await this.freeBytes()) - leaving);
    const file = await open(join(this.folder, 'filler'), 'w');
    try {
      const block = Buffer.alloc(64 * 1024, 1);
      for (let left = size; left > 0; left -= block.length) await file.write(block, 0, Math.min(left, block.length));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
    return size;
  }

  async makeSpace(): Promise<void> {
    await rm(join(this.folder, 'filler'));
  }

  async unmount(): Promise<void> {
    await run('umount', [this.folder]);
  }
}
