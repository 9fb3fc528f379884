import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FolderStore } from './folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'objects-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a folder of objects', () => {
  it('gives back what was put, also when it is put again', async () => {
    const sut = new FolderStore(folder);
    await sut.put('media/a/b', Buffer.from('x'));
    await sut.put('media/a/b', Buffer.from('x'));
    expect(await sut.get('media/a/b')).toEqual(Buffer.from('x'));
    expect(await sut.head('media/a/b')).toEqual({ bytes: 1 });
    expect(await readdir(join(folder, 'media', 'a'))).toEqual(['b']);
  });

  it('has nothing where nothing was put', async () => {
    const sut = new FolderStore(folder);
    expect(await sut.get('none')).toBeNull();
    expect(await sut.head('none')).toBeNull();
  });

  it.each(['../escape', '/absolute', 'a/../b', 'a//b', '', 'a.b', 'a/'])('refuses the key %j', async (key) => {
    await expect(new FolderStore(folder).put(key, Buffer.alloc(1))).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('fails when the folder cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(new FolderStore(folder).put('file/below', Buffer.alloc(1))).rejects.toThrow();
    await expect(new FolderStore(folder).get('file/below')).rejects.toThrow();
  });
});
