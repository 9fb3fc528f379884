import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, withClient, type TestDatabase } from '@centralita/testing-engines';
import { DataSource } from 'typeorm';
import { Keyring } from './keyring.js';
import { keyringMigrations, keyringVersion } from './migration.js';
import { localProvider } from './provider/local.js';
import { withFormer, type KeyProvider } from './provider/provider.js';
import { startTransit, type Transit } from './provider/transit.spec.js';
import { vaultProvider } from './provider/vault.js';
import { rewrapTenantKeys } from './rewrap.js';

const masterKey = randomBytes(32);
let database: TestDatabase;
let transit: Transit;

beforeAll(async () => {
  database = await createTestDatabase({ service: 'keyring' });
  transit = await startTransit();
  const source = new DataSource({ type: 'postgres', url: database.ownerUrl, migrations: [...keyringMigrations] });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
});
afterAll(async () => {
  await transit.stop();
  await database.drop();
});

const vault = (): KeyProvider =>
  vaultProvider({ address: transit.address, mount: 'transit', key: 'centralita', token: () => 'token-one', timeoutMs: 2000 });
const withKeyring = async <T>(provider: KeyProvider, work: (keyring: Keyring) => Promise<T>): Promise<T> => {
  const keyring = await Keyring.open({ databaseUrl: database.appUrl, provider });
  try {
    return await work(keyring);
  } finally {
    await keyring.close();
  }
};
const [subject, id] = [randomUUID(), randomUUID()];
const seal = (tenant: string, provider: KeyProvider) =>
  withKeyring(provider, async (keyring) =>
    (await keyring.ensureSubjects(tenant, [subject])).seal({ id, subject, schema: 'item.v1', plaintext: { text: 'hola' } }),
  );
const open = (tenant: string, provider: KeyProvider, envelope: Awaited<ReturnType<typeof seal>>) =>
  withKeyring(provider, async (keyring) => (await keyring.sealer(tenant, [subject])).open(envelope));
const clear = { state: 'open', value: { text: 'hola' } };

describe('keys of tenants', () => {
  it('move from the master key to vault and to its next version; what was sealed stays readable', async () => {
    const tenants = Array.from({ length: 5 }, () => randomUUID());
    const envelopes = await Promise.all(tenants.map((tenant) => seal(tenant, localProvider(masterKey))));
    // given one that a release from before versions has written
    await withClient(database.adminUrl, (client) =>
      client.query(`update tenant_key set key_version = '' where tenant_id = $1`, [tenants[0]]),
    );

    // when an installation moves to vault
    const both = (): KeyProvider => withFormer(vault(), [localProvider(masterKey)]);
    expect(await open(tenants[0] ?? '', both(), envelopes[0] as never)).toEqual(clear);
    const progress: number[] = [];
    const moved = await rewrapTenantKeys({
      databaseUrl: database.ownerUrl,
      provider: both(),
      onProgress: (n) => void progress.push(n),
    });
    expect([moved, progress]).toEqual([{ provider: 'vault', version: 'v1', rewrapped: 5, current: 0 }, [1, 2, 3, 4, 5]]);
    // then the master key is needed no more
    for (const [index, tenant] of tenants.entries())
      expect(await open(tenant, vault(), envelopes[index] as never)).toEqual(clear);
    await expect(open(tenants[1] ?? '', localProvider(masterKey), envelopes[1] as never)).rejects.toMatchObject({
      code: expect.stringMatching(/KEY_UNAVAILABLE|DECRYPTION_FAILED/),
    });

    // and when the key is rotated there, a new tenant has the new version at once, and the others after a run that was interrupted
    transit.rotate();
    const young = randomUUID();
    await seal(young, vault());
    const breaks = vault();
    let runs = 0;
    const interrupted: KeyProvider = {
      ...breaks,
      rewrap: async (wrapped) => {
        if (++runs > 2) throw new Error('interrupted');
        return breaks.rewrap(wrapped);
      },
    };
    await expect(rewrapTenantKeys({ databaseUrl: database.ownerUrl, provider: interrupted })).rejects.toThrow('interrupted');
    const again = await rewrapTenantKeys({ databaseUrl: database.ownerUrl, provider: vault() });
    expect(again).toEqual({ provider: 'vault', version: 'v2', rewrapped: 3, current: 3 });
    expect((await rewrapTenantKeys({ databaseUrl: database.ownerUrl, provider: vault() })).rewrapped).toBe(0);
    transit.state.minDecryption = 2;
    for (const [index, tenant] of tenants.entries())
      expect(await open(tenant, vault(), envelopes[index] as never)).toEqual(clear);
    transit.state.minDecryption = 1;
  });

  it('are wrapped as before for a release from before, as long as the master key wraps', async () => {
    const tenant = randomUUID();
    await seal(tenant, localProvider(masterKey));
    await withClient(database.adminUrl, async (client) => {
      const { rows } = await client.query<{ wrapping: Buffer }>('select wrapping from tenant_key where tenant_id = $1', [tenant]);
      // nonce, key, tag: what the release before reads
      expect(rows[0]?.wrapping).toHaveLength(12 + 32 + 16);
      // and a row as that release writes it
      const other = randomUUID();
      await client.query(
        `insert into tenant_key (tenant_id, reference, wrapping, commitment)
         select $1, reference, wrapping, commitment from tenant_key where tenant_id = $2 returning provider`,
        [other, tenant],
      );
      const written = await client.query('select provider, key_version from tenant_key where tenant_id = $1', [other]);
      expect(written.rows).toEqual([{ provider: 'local', key_version: '' }]);
      await client.query('delete from tenant_key where tenant_id = $1', [other]);
    });
  });

  it('are asked for once a process, and the failures of the provider are counted and pass', async () => {
    const tenant = randomUUID();
    await seal(tenant, vault());
    const failures: string[] = [];
    const metrics = {
      failed: ({ operation, code }: { operation: string; code: string }) => void failures.push(`${operation} ${code}`),
    };
    const keyring = await Keyring.open({ databaseUrl: database.appUrl, provider: vault(), metrics });
    transit.state.sealed = true;
    await expect(keyring.references(tenant)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE', retryable: true });
    expect(await keyring.problem()).toMatch(/is sealed, or has no leader/);
    transit.state.sealed = false;
    expect(await keyring.problem()).toBeNull();
    await keyring.references(tenant);
    transit.state.sealed = true;
    await keyring.references(tenant);
    transit.state.sealed = false;
    expect(failures).toEqual(['references KEY_UNAVAILABLE', 'check KEY_UNAVAILABLE']);
    await keyring.close();
  });

  it('are out of reach, in one sentence, where the database is older than the release', async () => {
    const old = await createTestDatabase({ service: 'keyring' });
    const keyring = await Keyring.open({ databaseUrl: old.appUrl, masterKey });
    expect(await keyring.problem()).toBe(
      'the keyring database has no schema yet: run `centralita ops keyring migrate` of this release',
    );
    const source = new DataSource({ type: 'postgres', url: old.ownerUrl, migrations: [keyringMigrations[0]] });
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
    expect(await keyring.problem()).toBe(
      'the keyring database is older than this release: run `centralita ops keyring migrate` of this release',
    );
    // and where a newer release has taken away what this one needs
    const newer = new DataSource({ type: 'postgres', url: old.ownerUrl, migrations: [...keyringMigrations] });
    await newer.initialize();
    await newer.runMigrations();
    expect(await keyring.problem()).toBeNull();
    await newer.query('create table schema_version (version bigint not null, oldest_reader bigint not null)');
    await newer.query(`grant select on schema_version to ${old.name}_app`);
    await newer.query(`insert into schema_version values (${keyringVersion + 1n}, ${keyringVersion})`);
    expect(await keyring.problem()).toBeNull();
    await newer.query(`update schema_version set oldest_reader = ${keyringVersion + 1n}`);
    expect(await keyring.problem()).toMatch(/^the keyring database is too new for this release/);
    await newer.destroy();
    await keyring.close();
    await old.drop();
  });
});
