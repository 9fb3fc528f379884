import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTransit, type Transit } from './transit.spec.js';
import { tokenFrom, vaultProvider } from './vault.js';

describe('the key provider vault', () => {
  let transit: Transit;
  const open = (extra: object = {}) =>
    vaultProvider({
      address: transit.address,
      mount: 'transit',
      key: 'centralita',
      token: () => 'token-one',
      timeoutMs: 500,
      ...extra,
    });
  beforeEach(async () => {
    transit = await startTransit();
  });
  afterEach(() => transit.stop());
  const keys = ['a', 'b', 'c'].map((place) => ({ place, value: randomBytes(32) }));
  const placed = <T>(values: readonly T[]) => values.map((value, index) => ({ place: keys[index]?.place ?? '', value }));

  it('wraps and unwraps several keys in one request each, and says the version', async () => {
    const sut = open();
    const wrapped = await sut.wrap(keys);
    expect(wrapped.map(({ provider, version }) => [provider, version])).toEqual([
      ['vault', 'v1'],
      ['vault', 'v1'],
      ['vault', 'v1'],
    ]);
    expect(await sut.unwrap(placed(wrapped))).toEqual(keys.map(({ value }) => value));
    expect(transit.state.requests).toEqual(['encrypt', 'decrypt']);
    expect(await sut.version()).toBe('v1');
    sut.close();
  });

  it('moves keys to a new version without seeing them', async () => {
    const sut = open();
    const wrapped = await sut.wrap(keys);
    transit.rotate();
    expect(await sut.unwrap(placed(wrapped))).toEqual(keys.map(({ value }) => value));
    transit.state.requests.length = 0;
    const moved = await sut.rewrap(placed(wrapped));
    expect(transit.state.requests).toEqual(['rewrap']);
    expect([await sut.version(), ...moved.map(({ version }) => version)]).toEqual(['v2', 'v2', 'v2', 'v2']);
    // when the old version is given up
    transit.state.minDecryption = 2;
    expect(await sut.unwrap(placed(moved))).toEqual(keys.map(({ value }) => value));
    await expect(sut.unwrap(placed(wrapped))).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE', retryable: true });
    sut.close();
  });

  it('opens a key only in its place, and only what it has wrapped', async () => {
    const sut = open();
    const [first] = await sut.wrap(keys);
    if (!first) throw new Error('nothing was wrapped');
    await expect(sut.unwrap([{ place: 'b', value: first }])).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
    const other = await startTransit();
    const stranger = vaultProvider({ address: other.address, mount: 'transit', key: 'centralita', token: () => 'token-one' });
    await expect(stranger.unwrap([{ place: 'a', value: first }])).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
    stranger.close();
    await other.stop();
    sut.close();
  });

  it.each([
    ['sealed', (state: Transit['state']) => (state.sealed = true), /is sealed, or has no leader \(503\)/],
    ['another token', (state: Transit['state']) => (state.token = 'token-two'), /refuses the token, .* \(403\)/],
    ['no key', (state: Transit['state']) => (state.hasKey = false), /has no key centralita in transit \(400\)/],
    ['no answer', (state: Transit['state']) => (state.hangs = true), /does not answer \(no answer within 500 ms\)/],
  ])('says in one sentence what is wrong, and no secret: %s', async (_, breaks, sentence) => {
    const sut = open();
    breaks(transit.state);
    const error = await sut.version().catch((failure: unknown) => failure as Error);
    expect(error).toMatchObject({ code: 'KEY_UNAVAILABLE', retryable: true, message: expect.stringMatching(sentence) });
    expect(`${(error as Error).message}${JSON.stringify(error)}`).not.toContain('token-one');
    sut.close();
  });

  it('says when nobody listens', async () => {
    const sut = open({ address: 'http://127.0.0.1:1' });
    await expect(sut.version()).rejects.toThrow('the key provider vault at 127.0.0.1:1 does not answer (ECONNREFUSED)');
    sut.close();
  });

  it('reads its token at each request, and names a namespace', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'centralita-vault-'));
    const file = join(folder, 'token');
    const sut = open({ token: tokenFrom(file), namespace: 'team-a' });
    transit.state.namespace = 'team-a';
    await expect(sut.version()).rejects.toThrow(`${file} cannot be read`);
    await writeFile(file, 'token-one\n');
    expect(await sut.version()).toBe('v1');
    transit.state.token = 'token-two';
    await writeFile(file, 'token-two\n');
    expect(await sut.version()).toBe('v1');
    sut.close();
    await rm(folder, { recursive: true });
  });
});
