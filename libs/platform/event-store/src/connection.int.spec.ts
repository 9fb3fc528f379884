import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, withClient, type TestDatabase } from '@centralita/testing-engines';
import { Client, withCredentialsDir } from './connection.js';
import { createDataSource, Database } from './database.js';
import { Outbox } from './relay/outbox.js';
import { RelaySession } from './relay/relay-session.js';
import { eventStoreMigrations } from './schema/migrations.js';

describe('credentials in files', () => {
  let database: TestDatabase;
  let folder: string;
  const bare = (url: string): { url: string; username: string; password: string } => {
    const address = new URL(url);
    const { username, password } = address;
    address.username = '';
    address.password = '';
    return { url: address.href, username, password };
  };
  const mount = async (files: { username: string; password: string }): Promise<void> => {
    await writeFile(join(folder, 'username'), `${files.username}\n`);
    await writeFile(join(folder, 'password'), files.password);
  };
  const change = (role: string, password: string): Promise<unknown> =>
    withClient(database.adminUrl, (client) => client.query(`alter role ${role} password ${client.escapeLiteral(password)}`));

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'credentials' });
    folder = await mkdtemp(join(tmpdir(), 'centralita-credentials-'));
    const owner = new Database(createDataSource({ url: database.ownerUrl, poolSize: 1, migrations: eventStoreMigrations }));
    await owner.migrate();
    await owner.close();
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('are read again for each connection of a pool: a new password needs no restart', async () => {
    const { url, username, password } = bare(database.appUrl);
    await mount({ username, password });
    const db = new Database(createDataSource({ url: withCredentialsDir(url, folder), poolSize: 4 }));
    const who = () =>
      db.system((tx) => tx.query<{ name: string; pid: number }>('select current_user as name, pg_backend_pid() as pid'));
    const [first] = await who();
    expect(first?.name).toBe(username);
    // given a new password with every character that an address would take for its own
    const rotated = 'p@ss:w/o?r#d%20+&=€ ';
    await change(username, rotated);
    await withClient(database.adminUrl, (client) => client.query('select pg_terminate_backend($1)', [first?.pid]));
    await expect(who()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await mount({ username, password: rotated });
    const [second] = await who();
    expect([second?.name, second?.pid === first?.pid]).toEqual([username, false]);
    await db.close();
  });

  it('may be away for a moment, which is said without what they hold', async () => {
    await rm(join(folder, 'password'));
    const db = new Database(createDataSource({ url: withCredentialsDir(bare(database.appUrl).url, folder) }));
    const failure = await db.system((tx) => tx.query('select 1')).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE', message: `${join(folder, 'password')} cannot be read` });
    expect(JSON.stringify(failure)).not.toContain(bare(database.appUrl).password);
  });

  it('serve the relay and whoever listens on a connection of its own', async () => {
    const relay = bare(database.relayUrl);
    await mount(relay);
    const url = withCredentialsDir(relay.url, folder);
    const session = await RelaySession.open(url, 'conversation', 15_000, () => undefined);
    expect(await session.query('select current_user::text as name')).toEqual([{ name: relay.username }]);
    await session.close();
    const outbox = new Outbox(url);
    expect(await outbox.state()).toEqual({ depth: 0, oldestSeconds: 0 });
    await outbox.close();
    const client = new Client({ connectionString: url });
    await client.connect();
    expect((await client.query<{ name: string }>('select current_user::text as name')).rows).toEqual([{ name: relay.username }]);
    await client.end();
  });
});
