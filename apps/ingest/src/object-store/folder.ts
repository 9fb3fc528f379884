import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '@centralita/contracts';
import type { ObjectStore } from './object-store.js';

const KEY = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;

const isAbsent = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

/** Objects as files of one folder. A crash leaves a whole object or none: bytes are synced under another name, then renamed. */
export class FolderStore implements ObjectStore {
  constructor(private readonly folder: string) {}

  async put(key: string, bytes: Buffer): Promise<void> {
    const path = this.#path(key);
    const unfinished = `${path}.${randomUUID()}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } catch (error) {
      await unlink(unfinished);
      throw error;
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    // The name is durable only with its folder.
    const parent = await open(dirname(path), 'r');
    await parent.sync().finally(() => parent.close());
  }

  async get(key: string): Promise<Buffer | null> {
    try {
      return await readFile(this.#path(key));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  async head(key: string): Promise<{ readonly bytes: number } | null> {
    try {
      return { bytes: (await stat(this.#path(key))).size };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new PlatformError('VALIDATION_FAILED', 'an object key is made of plain path segments');
    return join(this.folder, key);
  }
}
