import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.js';
import { keyProviderConnection, keyProviderEnv, type KeyProviderConnection } from './key-provider.js';

describe('settings of the key provider', () => {
  const read = (env: Record<string, string>): KeyProviderConnection => loadConfig(env, keyProviderEnv, keyProviderConnection)[1];
  const [one, two] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64')) as [string, string];
  const vault = {
    KEYRING_VAULT_ADDR: 'https://vault.example',
    KEYRING_VAULT_KEY: 'centralita',
    KEYRING_VAULT_TOKEN_FILE: '/token',
  };
  const open = (env: Record<string, string>) => {
    const connection = read(env);
    if ('missing' in connection) throw new Error(connection.missing);
    return connection.open();
  };

  it('say what is missing instead of ending the process', () => {
    expect(read({})).toEqual({
      missing: 'there is no key provider: give KEYRING_MASTER_KEY_FILE, or KEYRING_PROVIDER=vault with its settings',
    });
    expect(read({ KEYRING_PROVIDER: 'vault', KEYRING_MASTER_KEY: one, KEYRING_VAULT_KEY: 'centralita' })).toEqual({
      missing: 'the key provider vault is not set up: KEYRING_VAULT_ADDR, KEYRING_VAULT_TOKEN_FILE are missing',
    });
  });

  it('choose who wraps, and keep the other one for what it has wrapped', async () => {
    const local = open({ KEYRING_MASTER_KEY: one });
    expect([local.name, open({ KEYRING_PROVIDER: 'vault', ...vault }).name]).toEqual(['local', 'vault']);
    const place = 'here';
    const [wrapped] = await local.wrap([{ place, value: randomBytes(32) }]);
    if (!wrapped) throw new Error('nothing was wrapped');
    const both = open({ KEYRING_PROVIDER: 'vault', KEYRING_MASTER_KEY: one, ...vault });
    expect(both.name).toBe('vault');
    expect(await both.unwrap([{ place, value: wrapped }])).toHaveLength(1);
    const rotated = open({ KEYRING_MASTER_KEY: two, KEYRING_PREVIOUS_MASTER_KEY: one });
    expect(await rotated.unwrap([{ place, value: wrapped }])).toHaveLength(1);
    for (const provider of [local, both, rotated]) provider.close();
  });

  it('are refused where they cannot be meant, by name alone', () => {
    const refusal = (env: Record<string, string>): string => {
      try {
        read(env);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const message = refusal({ KEYRING_PREVIOUS_MASTER_KEY: one, KEYRING_PROVIDER: 'paper', KEYRING_VAULT_KEY: '../sys' });
    expect(message).toContain('KEYRING_PROVIDER must be one of local, vault');
    expect(message).toContain('KEYRING_VAULT_KEY must be a name of letters');
    expect(refusal({ KEYRING_PREVIOUS_MASTER_KEY: one })).toContain(
      'KEYRING_PREVIOUS_MASTER_KEY is of no use without KEYRING_MASTER_KEY',
    );
    expect(refusal({ KEYRING_MASTER_KEY: 'hunter2' })).not.toContain('hunter2');
    expect(refusal({ ...vault, KEYRING_VAULT_CA_FILE: '/nowhere' })).toContain('KEYRING_VAULT_CA_FILE cannot be read');
  });
});
