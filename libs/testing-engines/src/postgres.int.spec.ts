import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { removePostgres, startPostgres } from './index.js';
import type { RunningPostgres } from './index.js';

const isRoot = process.getuid?.() === 0;

const countAfterInsert = async (url: string): Promise<number> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('CREATE TABLE IF NOT EXISTS kept (id int)');
    await client.query('INSERT INTO kept VALUES (1)');
    const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM kept');
    return Number(rows[0]?.count);
  } finally {
    await client.end();
  }
};

describe('the embedded Postgres', () => {
  let folder: string;
  let path: string;
  let sut: RunningPostgres | null = null;
  const start = async (): Promise<RunningPostgres> =>
    (sut = await startPostgres({ dataDir: join(folder, 'pg'), durable: false }));

  beforeEach(async () => {
    // mkdtemp gives mode 0700: nobody but the owner may enter, which is the hard case for root.
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
    path = process.env['PATH'] ?? '';
  });

  afterEach(async () => {
    process.env['PATH'] = path;
    await sut?.stop();
    sut = null;
    await removePostgres(join(folder, 'pg'));
    await rm(folder, { recursive: true, force: true });
  });

  it('runs in a folder that only its owner may enter, and finds its data at the second start', async () => {
    const first = await start();
    expect(first.notice).toBeNull();
    expect(await countAfterInsert(first.url)).toBe(1);
    await first.stop();
    const second = await start();
    expect(await countAfterInsert(second.url)).toBe(2);
    expect(second.url).toBe(first.url);
  });

  it('says where its data is when it had to run as somebody who cannot reach the folder', async () => {
    // Without unshare root has no namespace; an ordinary user never needs one.
    const tools = join(folder, 'tools');
    await mkdir(tools);
    for (const name of ['setpriv', 'test', 'sh', 'locale']) {
      const found = path
        .split(delimiter)
        .map((one) => join(one, name))
        .find(existsSync);
      if (found !== undefined) await symlink(found, join(tools, name));
    }
    process.env['PATH'] = tools;
    const postgres = await start();
    expect(await countAfterInsert(postgres.url)).toBe(1);
    if (isRoot) {
      expect(postgres.notice).toMatch(/cannot reach .*centralita-spec-/);
      expect(existsSync(join(folder, 'pg', 'elsewhere'))).toBe(true);
    } else expect(postgres.notice).toBeNull();
  });

  it('names a port that is taken', async () => {
    const first = await start();
    await expect(startPostgres({ dataDir: join(folder, 'other'), port: first.port })).rejects.toThrow(
      `port ${first.port} is taken`,
    );
  });

  it('tells of its death, with its last lines', async () => {
    await chmod(folder, 0o700);
    const postgres = await start();
    postgres.signal('SIGKILL');
    expect((await postgres.died).lastLines.join('\n')).toContain('ready to accept connections');
  });
});
