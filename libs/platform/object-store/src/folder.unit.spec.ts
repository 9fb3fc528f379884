import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { objectStoreContract } from './contract.spec.js';
import { FolderStore } from './folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'objects-'));
});
afterAll(() => rm(folder, { recursive: true }));
const open = async (): Promise<FolderStore> => new FolderStore(await mkdtemp(join(folder, 'store-')));

describe('a folder of objects', () => {
  objectStoreContract(open);

  it('leaves nothing beside the objects, and shows nothing that is unfinished', async () => {
    const at = await mkdtemp(join(folder, 'store-'));
    const sut = new FolderStore(at);
    await sut.put('media/b', Buffer.from('x'));
    await sut.putIfAbsent('media/b', Buffer.from('y'));
    expect(await readdir(join(at, 'media'))).toEqual(['b']);
    await writeFile(join(at, 'media', 'c.1.tmp'), 'half');
    for await (const { key } of sut.list('media')) expect(key).toBe('media/b');
  });

  it('fails when the folder cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(new FolderStore(folder).put('file/below', Buffer.alloc(1))).rejects.toThrow();
    await expect(new FolderStore(folder).get('file/below')).rejects.toThrow();
  });
});
