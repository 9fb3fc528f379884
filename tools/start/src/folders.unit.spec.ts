import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claim } from './folders.js';
import type { Folders } from './folders.js';

describe('the folder of a start', () => {
  let folders: Folders;
  beforeEach(async () => {
    const state = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
    const below = (name: string): string => join(state, name);
    folders = {
      state,
      kafka: below('kafka'),
      postgres: below('postgres'),
      media: below('media'),
      logs: below('logs'),
      secrets: below('secrets'),
      checks: below('checks'),
    };
  });
  afterEach(() => rm(folders.state, { recursive: true, force: true }));

  it('belongs to one launcher at a time', async () => {
    await writeFile(join(folders.state, 'launcher.pid'), String(process.ppid));
    await expect(claim(folders, { fresh: false })).rejects.toThrow(`npm start is already running here (pid ${process.ppid})`);
    await rm(join(folders.state, 'launcher.pid'));
    const release = await claim(folders, { fresh: false });
    expect((await stat(folders.secrets)).mode & 0o777).toBe(0o700);
    await release();
    expect(existsSync(join(folders.state, 'launcher.pid'))).toBe(false);
  });

  it('keeps the data of the last start, unless a checked run begins with nothing', async () => {
    const kept = join(folders.kafka, 'cluster.json');
    await mkdir(folders.kafka);
    await writeFile(kept, '{}');
    await (
      await claim(folders, { fresh: false })
    )();
    expect(existsSync(kept)).toBe(true);
    await (
      await claim(folders, { fresh: true })
    )();
    expect(existsSync(kept)).toBe(false);
  });
});
