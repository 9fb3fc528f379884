import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usersSchema } from '@centralita/tool-identity';
import { prepareSecrets } from './secrets.js';

describe('the secrets of a start', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are made once and found again', async () => {
    const first = await prepareSecrets(folder);
    const second = await prepareSecrets(folder);
    expect(second).toEqual(first);
    expect(Buffer.from(first.secrets.keyringMasterKey, 'base64')).toHaveLength(32);
  });

  it('are readable for nobody else', async () => {
    await prepareSecrets(folder);
    const files = await readdir(folder);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  it('give every process what it reads, and the accounts no secret', async () => {
    const { files, secrets } = await prepareSecrets(folder);
    const read = async (file: string): Promise<string> => readFile(file, 'utf8');
    expect(usersSchema.safeParse(JSON.parse(await read(files.users))).success).toBe(true);
    const accounts = await read(files.accounts);
    for (const app of Object.values(secrets.apps)) {
      expect(await read(files.apps)).toContain(app.secret);
      for (const secret of Object.values(app)) expect(accounts).not.toContain(secret);
    }
  });
});
