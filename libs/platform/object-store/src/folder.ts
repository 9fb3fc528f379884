import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { requireKey } from './key.js';
import type { ObjectStore, StoredObject } from './port.js';

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
};

/** Objects as files of one folder. A crash leaves a whole object or none: bytes are synced under another name, then renamed. */
export class FolderStore implements ObjectStore {
  constructor(private readonly folder: string) {}

  async put(key: string, bytes: Buffer): Promise<void> {
    const path = this.#path(key);
    await rename(await writeUnfinished(path, bytes), path);
    await syncFolder(path);
  }

  async putIfAbsent(key: string, bytes: Buffer): Promise<'stored' | 'taken'> {
    const path = this.#path(key);
    const unfinished = await writeUnfinished(path, bytes);
    try {
      // A link fails where a name exists; a rename would replace what stands there.
      await link(unfinished, path);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      return (await readFile(path)).equals(bytes) ? 'stored' : 'taken';
    } finally {
      await unlink(unfinished);
    }
    await syncFolder(path);
    return 'stored';
  }

  async get(key: string): Promise<Buffer | null> {
    return orNull(readFile(this.#path(key)));
  }

  async head(key: string): Promise<{ readonly bytes: number } | null> {
    const found = await orNull(stat(this.#path(key)));
    return found && { bytes: found.size };
  }

  async *list(folder: string, after = ''): AsyncGenerator<StoredObject> {
    const root = this.#path(folder);
    const entries = (await orNull(readdir(root, { recursive: true, withFileTypes: true }))) ?? [];
    const keys = entries
      // What is unfinished has a dot in its name, which no key has.
      .filter((entry) => entry.isFile() && !entry.name.includes('.'))
      .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((key) => key > after)
      .sort((one, other) => (one < other ? -1 : 1));
    for (const key of keys) yield { key, bytes: (await stat(join(this.folder, key))).size };
  }

  #path(key: string): string {
    return join(this.folder, requireKey(key));
  }
}

const writeUnfinished = async (path: string, bytes: Buffer): Promise<string> => {
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
  return unfinished;
};

/** The name is durable only with its folder. */
const syncFolder = async (path: string): Promise<void> => {
  const parent = await open(dirname(path), 'r');
  await parent.sync().finally(() => parent.close());
};
