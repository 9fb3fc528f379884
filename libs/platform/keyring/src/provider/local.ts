import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { isPlatformError, PlatformError } from '@centralita/contracts';
import { unwrapKey, wrapKey } from '../crypto.js';
import type { KeyProvider, Placed, Wrapped } from './provider.js';

type Master = { readonly key: KeyObject; readonly version: string };

/** Names a master key without saying anything of it. */
const fingerprint = (key: Buffer): string =>
  hash('sha256', Buffer.concat([Buffer.from('centralita kek\0'), key]), 'hex').slice(0, 12);

/**
 * The master key stands in this process: who can read its memory or its file has all keys. `previous` are master keys that have wrapped
 * before and still unwrap, while tenants' keys are wrapped anew. Throws CONFIGURATION_INVALID.
 */
export const localProvider = (masterKey: Buffer, previous: readonly Buffer[] = []): KeyProvider => {
  if ([masterKey, ...previous].some((key) => key.length !== 32))
    throw new PlatformError('CONFIGURATION_INVALID', 'the master key has 32 bytes');
  const masters = [masterKey, ...previous].map((key): Master => ({ key: createSecretKey(key), version: fingerprint(key) }));
  const [current] = masters as [Master];

  const open = ({ place, value: { version, bytes } }: Placed<Wrapped>): Buffer => {
    const fitting = version === '' ? masters : masters.filter((master) => master.version === version);
    if (fitting.length === 0)
      throw new PlatformError(
        'KEY_UNAVAILABLE',
        `a key is wrapped by the master key ${version}, which this process has not got`,
        {
          version,
        },
      );
    for (const [index, { key }] of fitting.entries())
      try {
        return unwrapKey(key, place, bytes).export();
      } catch (error) {
        if (index === fitting.length - 1 || !isPlatformError(error, 'DECRYPTION_FAILED')) throw error;
      }
    throw new PlatformError('INTERNAL', 'no master key was tried');
  };
  const wrap = (keys: readonly Placed<Buffer>[]): Wrapped[] =>
    keys.map(({ place, value }) => ({ provider: 'local', version: current.version, bytes: wrapKey(current.key, place, value) }));

  return {
    name: 'local',
    version: async () => current.version,
    wrap: async (keys) => wrap(keys),
    unwrap: async (wrapped) => wrapped.map(open),
    rewrap: async (wrapped) => wrap(wrapped.map((one) => ({ place: one.place, value: open(one) }))),
    close: () => undefined,
  };
};
