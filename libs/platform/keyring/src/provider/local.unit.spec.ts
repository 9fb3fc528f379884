import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { localProvider } from './local.js';
import { withFormer, type Wrapped } from './provider.js';

describe('the local key provider', () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const key = { place: 'tenant|a', value: randomBytes(32) };
  const wrapOne = async (provider = localProvider(first)): Promise<Wrapped> => {
    const [wrapped] = await provider.wrap([key]);
    if (!wrapped) throw new Error('nothing was wrapped');
    return wrapped;
  };

  it('names the master key by a version that says nothing of it', async () => {
    const wrapped = await wrapOne();
    expect(wrapped.version).toMatch(/^[0-9a-f]{12}$/);
    expect(wrapped.version).toBe(await localProvider(first).version());
    expect(await localProvider(second).version()).not.toBe(wrapped.version);
  });

  it('opens what a former master key has wrapped while it has that too, and wraps with the new one', async () => {
    const wrapped = await wrapOne();
    const old = { place: key.place, value: wrapped };
    await expect(localProvider(second).unwrap([old])).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
    const both = localProvider(second, [first]);
    expect(await both.unwrap([old])).toEqual([key.value]);
    const [moved] = await both.rewrap([old]);
    expect(await localProvider(second).unwrap([{ place: key.place, value: moved as Wrapped }])).toEqual([key.value]);
  });

  it('opens what was wrapped before versions were written down', async () => {
    const unnamed = { place: key.place, value: { ...(await wrapOne()), version: '' } };
    expect(await localProvider(second, [first]).unwrap([unnamed])).toEqual([key.value]);
    await expect(localProvider(second).unwrap([unnamed])).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
  });

  it('is bound to the place', async () => {
    await expect(localProvider(first).unwrap([{ place: 'tenant|b', value: await wrapOne() }])).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
  });

  it('says so when another provider has wrapped a key', async () => {
    const foreign = { place: key.place, value: { ...(await wrapOne()), provider: 'vault' } };
    await expect(withFormer(localProvider(first), []).unwrap([foreign])).rejects.toMatchObject({
      code: 'KEY_UNAVAILABLE',
      message: 'a tenant’s keys are wrapped by the key provider vault, and this process knows local',
    });
  });
});
