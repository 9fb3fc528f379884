import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { boundToParent, startChild } from './child.js';
import { checkTools } from './java.js';
import { withLock } from './lock.js';

const pom = join(import.meta.dirname, '..', 'pom.xml');

const cacheFolder = (): string =>
  process.env['CENTRALITA_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'centralita');

/**
 * The folder with the broker's jars (45 files, 43 MB), fetched with Maven at first use. It is named after the content of pom.xml, so
 * another version is another folder; it appears by a rename, so a folder that exists is complete. Aborting ends Maven.
 */
export const resolveJars = async (onLog: (line: string) => void, signal?: AbortSignal): Promise<string> => {
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder(), `kafka-${digest}`);
  if (existsSync(folder)) {
    await checkTools({ maven: false });
    return folder;
  }
  await checkTools({ maven: true });
  return withLock(`${folder}.lock`, 300_000, async () => {
    if (existsSync(folder)) return folder;
    signal?.throwIfAborted();
    onLog('fetching the Kafka broker with Maven (once)');
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const [command, args] = boundToParent('mvn', [
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
      '-DincludeScope=runtime',
    ]);
    const maven = await startChild(command, args, {
      onLine: (line) => {
        // Maven ends with bare colour resets even in batch mode.
        if (/[a-z]/i.test(line.replaceAll('\u001b[0m', ''))) onLog(line);
      },
    });
    const abandon = (): void => void maven.process.kill();
    signal?.addEventListener('abort', abandon);
    if (signal?.aborted) abandon();
    const { code } = await maven.exited;
    signal?.removeEventListener('abort', abandon);
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`Maven could not fetch the Kafka broker:\n${maven.lastLines().join('\n')}`);
    await rename(partial, folder);
    return folder;
  });
};
