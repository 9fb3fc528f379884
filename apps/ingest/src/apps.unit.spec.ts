import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadApps, secretsAt } from './apps.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'apps-'));
});
afterAll(() => rm(folder, { recursive: true }));

const tenantA = '00000000-0000-4000-8000-00000000000a';
const tenantB = '00000000-0000-4000-8000-00000000000b';
const app = (name: string, tenantId: string, ...phoneNumberIds: string[]) => ({
  app: name,
  tenantId,
  verifyToken: 'verify',
  secrets: { current: 'a secret' },
  accessToken: 'token',
  numbers: phoneNumberIds.map((phoneNumberId) => ({
    phoneNumberId,
    wabaId: `waba-${name}`,
    displayPhoneNumber: '34',
    name: 'n',
  })),
});
const load = async (contents: unknown) => {
  const path = join(folder, 'apps.json');
  await writeFile(path, typeof contents === 'string' ? contents : JSON.stringify(contents));
  return loadApps(path);
};

describe('the apps file', () => {
  it('names apps, their tenants and numbers', async () => {
    const sut = await load({ apps: [app('blue', tenantA, '1', '2'), app('red', tenantB, '3'), app('green', tenantA, '4')] });
    expect(sut.tenants()).toEqual([tenantA, tenantB]);
    expect(sut.byName('blue')).toMatchObject({ tenantId: tenantA, wabaIds: new Set(['waba-blue']) });
    expect(sut.byName('grey')).toBeUndefined();
    expect(sut.ofNumber(tenantA, '2')?.app).toBe('blue');
    expect(sut.ofNumber(tenantB, '2')).toBeUndefined();
  });

  it('lists every wrong place at once, and no value', async () => {
    const wrong = {
      apps: [
        { ...app('blue', 'not a tenant', '1'), secrets: { current: '' } },
        { ...app('a b', tenantA), accessToken: 7 },
      ],
    };
    const failure = load(wrong).catch((error: Error) => error.message);
    expect(await failure).toBe(
      'APPS_FILE is wrong at: apps.0.tenantId, apps.0.secrets.current, apps.1.app, apps.1.accessToken, apps.1.numbers',
    );
  });

  it('ends the rotation of a secret', async () => {
    const secrets = { current: 'new', previous: 'old', previousUntil: '2026-11-24T00:00:00Z' };
    const sut = (await load({ apps: [{ ...app('blue', tenantA, '1'), secrets }] })).byName('blue')!;
    expect(secretsAt(sut, new Date('2026-11-23T23:59:59Z')).previous).toBeDefined();
    expect(secretsAt(sut, new Date('2026-11-24T00:00:00Z')).previous).toBeUndefined();
  });

  it.each([
    ['an account of two tenants', { apps: [app('blue', tenantA, '1'), { ...app('blue', tenantB, '2'), app: 'red' }] }],
    ['the same number for two apps', { apps: [app('blue', tenantA, '1'), app('red', tenantB, '1')] }],
    ['the same app twice', { apps: [app('blue', tenantA, '1'), app('blue', tenantB, '2')] }],
    ['no app', { apps: [] }],
    ['no JSON', '{'],
  ])('is refused with %s', async (_, contents) => {
    await expect(load(contents)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });

  it('is refused when it is not there', async () => {
    await expect(loadApps(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  });
});
