import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { withLock } from './lock.js';

describe('a lock file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
    file = join(folder, 'deep', 'lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await pause(10);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, 5_000, work)));
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('is given back when the work fails', async () => {
    await expect(withLock(file, 1_000, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withLock(file, 1_000, async () => 'again')).toBe('again');
  });

  it('is taken over from a process that is dead, and from nobody else', async () => {
    await withLock(file, 1_000, () => rm(file));
    await writeFile(file, String(spawnSync('true').pid));
    expect(await withLock(file, 1_000, async () => 'taken over')).toBe('taken over');
    await writeFile(file, String(process.pid));
    await expect(withLock(file, 150, async () => 'never')).rejects.toThrow(/another process has held/);
  });
});
