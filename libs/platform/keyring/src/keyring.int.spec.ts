import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, lastWordAfter, type TestDatabase } from '@centralita/testing-engines';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { Keyring, type KeyringMetrics } from './keyring.js';
import { keyringMigrations } from './migration.js';

const masterKey = randomBytes(32);
let database: TestDatabase;
const opened: Keyring[] = [];
const openKeyring = async (
  extra: { clock?: () => number; masterKey?: Buffer; databaseUrl?: string; metrics?: KeyringMetrics } = {},
): Promise<Keyring> => {
  const keyring = await Keyring.open({ databaseUrl: database.appUrl, masterKey, ...extra });
  opened.push(keyring);
  return keyring;
};
const runAs = async (url: string, work: (client: Client) => Promise<void>): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
};
const item = (id: string, subject: string) => ({ id, subject, schema: 'item.v1', plaintext: { text: 'hola' } });

beforeAll(async () => {
  database = await createTestDatabase({ service: 'keyring' });
  // As in production: by the owner, who is no superuser.
  const source = new DataSource({ type: 'postgres', url: database.ownerUrl, migrations: [...keyringMigrations] });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
});

afterAll(async () => {
  await Promise.all(opened.map((keyring) => keyring.close()));
  await database.drop();
});

describe('two processes', () => {
  it('that create the same tenant and subjects use the keys of the one that won', async () => {
    const tenant = randomUUID();
    const subjects = Array.from({ length: 50 }, () => randomUUID());
    const keyrings = await Promise.all(Array.from({ length: 4 }, () => openKeyring()));
    // given four processes that see the same fifty new customers at once, each in another order
    await Promise.all(
      keyrings.map((keyring, n) => keyring.ensureSubjects(tenant, [...subjects.slice(n * 10), ...subjects.slice(0, n * 10)])),
    );
    // then what one sealed the others open, and the references agree
    const [first] = keyrings;
    const sealed = subjects.map(async (subject) => (await first!.sealer(tenant, [subject])).seal(item(randomUUID(), subject)));
    for (const envelope of await Promise.all(sealed))
      for (const keyring of keyrings)
        expect((await keyring.sealer(tenant, [envelope.subject])).open(envelope)).toEqual({
          state: 'open',
          value: { text: 'hola' },
        });
    const refs = await Promise.all(
      keyrings.map(async (keyring) => (await keyring.references(tenant)).messageRef('1', 'wamid.A')),
    );
    expect(new Set(refs).size).toBe(1);
  });
});

describe('a key that goes', () => {
  it('seals nothing once closing, reads erased once destroyed, and never comes back', async () => {
    const [tenant, subject] = [randomUUID(), randomUUID()];
    let now = 0;
    const eraser = await openKeyring();
    const reader = await openKeyring({ clock: () => now });
    await reader.ensureSubjects(tenant, [subject]);
    const envelope = (await reader.sealer(tenant, [subject])).seal(item(randomUUID(), subject));

    await eraser.setState(tenant, subject, 'closing');
    // within its lease the reader may not know yet; after it the append is refused
    now = 59_999;
    await expect(reader.checkAlive(tenant, [subject])).resolves.toBeUndefined();
    now = 60_000;
    await expect(reader.checkAlive(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
    await expect(eraser.ensureSubjects(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });

    await eraser.setState(tenant, subject, 'destroyed');
    await eraser.setState(tenant, subject, 'destroyed');
    now = 120_000;
    expect((await reader.sealer(tenant, [subject])).open(envelope)).toEqual({ state: 'erased' });
    await expect(eraser.ensureSubjects(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
    await expect(reader.checkAlive(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
  });

  it('is asked for again before an append that would begin after its lease', async () => {
    const [tenant, subject] = [randomUUID(), randomUUID()];
    let now = 0;
    const [writer, eraser] = [await openKeyring({ clock: () => now }), await openKeyring()];
    await writer.ensureSubjects(tenant, [subject]);
    await eraser.setState(tenant, subject, 'closing');
    now = 59_000;
    // The lease of a minute ends in a second: long enough for an append at once, too short for one that may wait for two.
    await expect(writer.checkAlive(tenant, [subject])).resolves.toBeUndefined();
    expect(await writer.closed(tenant, [subject])).toEqual(new Set());
    await expect(writer.checkAlive(tenant, [subject], 2000)).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
    expect(await writer.closed(tenant, [subject, randomUUID()])).toEqual(new Set([subject]));
  });

  it('leaves a tombstone that nobody can take away', async () => {
    const [tenant, subject] = [randomUUID(), randomUUID()];
    const keyring = await openKeyring();
    await keyring.setState(tenant, subject, 'destroyed');
    await expect(keyring.ensureSubjects(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
    await runAs(database.appUrl, async (client) => {
      await client.query(`select set_config('app.tenant_id', $1, false)`, [tenant]);
      await expect(client.query('delete from subject_key')).rejects.toMatchObject({ code: '42501' });
      await expect(client.query(`update subject_key set state = 'live', wrapped = '\\x00'`)).rejects.toMatchObject({
        code: 'CE423',
      });
    });
  });
});

describe('a key that is not there', () => {
  it('is retryable and never remembered', async () => {
    const [tenant, subject] = [randomUUID(), randomUUID()];
    const [writer, reader] = [await openKeyring(), await openKeyring()];
    await expect(reader.checkAlive(tenant, [subject])).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE', retryable: true });
    await writer.ensureSubjects(tenant, [subject]);
    await expect(reader.checkAlive(tenant, [subject])).resolves.toBeUndefined();
  });
});

describe('tenants', () => {
  it('do not see each other, not even by the same subject id', async () => {
    const [tenantA, tenantB, subject] = [randomUUID(), randomUUID(), randomUUID()];
    const keyring = await openKeyring();
    await keyring.ensureSubjects(tenantA, [subject]);
    const envelope = (await keyring.sealer(tenantA, [subject])).seal(item(randomUUID(), subject));
    const foreign = await keyring.sealer(tenantB, [subject]);
    expect(() => foreign.open(envelope)).toThrow(expect.objectContaining({ code: 'KEY_UNAVAILABLE' }));
    await keyring.ensureSubjects(tenantB, [subject]);
    const same = await keyring.sealer(tenantB, [subject]);
    expect(() => same.open(envelope)).toThrow(expect.objectContaining({ code: 'DECRYPTION_FAILED' }));
    await runAs(database.appUrl, async (client) => {
      expect((await client.query('select * from subject_key')).rows).toEqual([]);
      await client.query(`select set_config('app.tenant_id', $1, false)`, [tenantA]);
      expect((await client.query('select * from subject_key')).rowCount).toBe(1);
    });
  });

  it('cannot be opened with another master key', async () => {
    const tenant = randomUUID();
    await (await openKeyring()).references(tenant);
    const stranger = await openKeyring({ masterKey: randomBytes(32) });
    await expect(stranger.references(tenant)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
  });
});

describe('the tenant itself', () => {
  it('has commitments, and one subject a month for what belongs to nobody', async () => {
    const tenant = randomUUID();
    const keyring = await openKeyring();
    const commitment = await keyring.tenantCommitment(tenant, 'ip', '192.0.2.1');
    expect(commitment).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await keyring.tenantCommitment(tenant, 'ip', '192.0.2.2')).not.toBe(commitment);
    const october = keyring.unattributedSubject(tenant, new Date('2026-10-31T23:59:59.999Z'));
    expect(keyring.unattributedSubject(tenant, new Date('2026-10-01T00:00:00.000Z'))).toBe(october);
    expect(keyring.unattributedSubject(tenant, new Date('2026-11-01T00:00:00.000Z'))).not.toBe(october);
  });
});

describe('a keyring database that is away', () => {
  it('is a retryable error', async () => {
    const keyring = await Keyring.open({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', masterKey });
    await expect(keyring.references(randomUUID())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
    await keyring.close();
  });
});

describe('what a keyring tells its meters', () => {
  it('counts keys that could not be had, and no answer that is only about the subject', async () => {
    const failures: string[] = [];
    const metrics: KeyringMetrics = { failed: ({ operation, code }) => void failures.push(`${operation} ${code}`) };
    const keyring = await openKeyring({ metrics });
    const [tenant, subject, stranger] = [randomUUID(), randomUUID(), randomUUID()];
    await keyring.ensureSubjects(tenant, [subject]);
    await keyring.setState(tenant, subject, 'closing');
    await expect(keyring.checkAlive(tenant, [subject])).rejects.toMatchObject({ code: 'SUBJECT_CLOSING' });
    expect(failures).toEqual([]);

    const keys = await keyring.sealer(tenant, [stranger]);
    expect(() => keys.seal(item(randomUUID(), stranger))).toThrow('no key and no tombstone');
    await expect(keyring.checkAlive(tenant, [stranger])).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
    const foreign = await openKeyring({ metrics, masterKey: randomBytes(32) });
    await expect(foreign.references(tenant)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
    const nowhere = await openKeyring({ metrics, databaseUrl: 'postgres://nobody@127.0.0.1:1/none' });
    await expect(nowhere.tenantCommitment(tenant, 'ip', '::1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(failures).toEqual([
      'use KEY_UNAVAILABLE',
      'checkAlive KEY_UNAVAILABLE',
      'references KEY_UNAVAILABLE',
      'tenantCommitment DATABASE_UNAVAILABLE',
    ]);
  });
});

describe('a keyring whose server ends', () => {
  it.each([1, 2, 3, 4])('goes on when it hears so with answer %i', async (nth) => {
    const way = await lastWordAfter(database.appUrl, nth);
    try {
      const keyring = await openKeyring({ databaseUrl: way.url });
      const tenantId = randomUUID();
      // Either this use was served before the connection ended, or it says that it may be tried again.
      await keyring.references(tenantId).catch((error: unknown) => expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' }));
    } finally {
      await way.close();
    }
  });
});
