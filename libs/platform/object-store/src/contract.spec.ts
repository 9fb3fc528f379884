import { describe, expect, it } from '@jest/globals';
import type { ObjectStore } from './port.js';

/** What every driver keeps; `open` gives an empty store. */
export const objectStoreContract = (open: () => Promise<ObjectStore>): void => {
  const keysOf = async (store: ObjectStore, folder: string, after?: string): Promise<string[]> => {
    const lines: string[] = [];
    for await (const { key, bytes } of store.list(folder, after)) lines.push(`${key} ${bytes}`);
    return lines;
  };

  describe('the contract of object stores', () => {
    it('gives back what was put, also when it is put again', async () => {
      const sut = await open();
      await sut.put('media/a/b', Buffer.from('x'));
      await sut.put('media/a/b', Buffer.from('x'));
      expect(await sut.get('media/a/b')).toEqual(Buffer.from('x'));
      expect(await sut.head('media/a/b')).toEqual({ bytes: 1 });
      expect(await keysOf(sut, 'media')).toEqual(['media/a/b 1']);
    });

    it('has nothing where nothing was put', async () => {
      const sut = await open();
      expect(await sut.get('none')).toBeNull();
      expect(await sut.head('none')).toBeNull();
      expect(await keysOf(sut, 'none')).toEqual([]);
    });

    it('puts where nothing is, once, and says the same of the same bytes again', async () => {
      const sut = await open();
      expect(await sut.putIfAbsent('heads/1', Buffer.from('mine'))).toBe('stored');
      expect(await sut.putIfAbsent('heads/1', Buffer.from('mine'))).toBe('stored');
      expect(await sut.putIfAbsent('heads/1', Buffer.from('other'))).toBe('taken');
      expect(await sut.get('heads/1')).toEqual(Buffer.from('mine'));
      expect(await keysOf(sut, 'heads')).toEqual(['heads/1 4']);
    });

    it('lets one of many writers of different bytes win', async () => {
      const sut = await open();
      const words = Array.from({ length: 8 }, (_, word) => Buffer.from(`word ${word}`));
      const outcomes = await Promise.all(words.map((word) => sut.putIfAbsent('race/1', word)));
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      expect(await sut.get('race/1')).toEqual(words[outcomes.indexOf('stored')]);
    });

    it('lists below a folder in the order of keys, from behind a key on', async () => {
      const sut = await open();
      for (const key of ['s/b/2', 's/a-/1', 's/a/9', 's/b/1', 'sx/1', 's/c']) await sut.put(key, Buffer.from(key));
      expect(await keysOf(sut, 's')).toEqual(['s/a-/1 6', 's/a/9 5', 's/b/1 5', 's/b/2 5', 's/c 3']);
      expect(await keysOf(sut, 's', 's/b/1')).toEqual(['s/b/2 5', 's/c 3']);
    });

    it.each(['../escape', '/absolute', 'a/../b', 'a//b', '', 'a.b', 'a/'])('refuses the key %j', async (key) => {
      const sut = await open();
      const refused = { code: 'VALIDATION_FAILED' };
      await expect(sut.put(key, Buffer.alloc(1))).rejects.toMatchObject(refused);
      await expect(sut.putIfAbsent(key, Buffer.alloc(1))).rejects.toMatchObject(refused);
      await expect(sut.get(key)).rejects.toMatchObject(refused);
      await expect(keysOf(sut, key)).rejects.toMatchObject(refused);
    });
  });
};
