import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDataSource, Database } from './database.js';
import { EventStore } from './event-store.js';
import { tenantTable } from './schema/tenant-table.js';
import { fixture, identified, newId, type Fixture } from './support.spec.js';
import type { Tx } from './types.js';

const topic = 'conversation.events.v1';

describe('tenancy and rights', () => {
  let f: Fixture;
  const store = new EventStore({ service: 'conversation' });
  const [tenant, other, key, stream] = [newId(), newId(), newId(), newId()];
  const sqlState = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no error',
      (error: { details?: { sqlState?: string }; code?: string }) => error.details?.sqlState ?? error.code,
    );

  beforeAll(async () => {
    f = await fixture({
      poolSize: 1,
      tables: (owner) =>
        owner.system(async (tx) => {
          await tx.query(
            `create table note (tenant_id uuid not null, id uuid not null, phone text, primary key (tenant_id, id))`,
          );
          for (const statement of tenantTable('note')) await tx.query(statement);
        }),
    });
    await f.db.withTenant(tenant, (tx) => store.append(tx, topic, [identified(key, stream, 0)]));
  });
  afterAll(() => f.end());

  it('shows nothing when no tenant is set, also on a connection that has had one, and also to the owner', async () => {
    const count = (db: Database): Promise<{ n: string }[]> =>
      db.system((tx) => tx.query<{ n: string }>('select count(*) n from events'));
    expect(await count(f.db)).toEqual([{ n: '0' }]);
    expect(await count(f.owner)).toEqual([{ n: '0' }]);
    expect(await f.db.withTenant(other, (tx) => store.load(tx, stream))).toEqual([]);
    expect(await f.db.withTenant(tenant, (tx) => store.load(tx, stream))).toHaveLength(1);
  });

  it('refuses rows of another tenant than the one that is set, mixed arrays included', async () => {
    const rows = (tenants: string[]) => (tx: { execute(sql: string, p: unknown[]): Promise<number> }) =>
      tx.execute(`insert into note (tenant_id, id) select t, gen_random_uuid() from unnest($1::uuid[]) t`, [tenants]);
    expect(await sqlState(f.db.withTenant(tenant, rows([tenant, other])))).toBe('42501');
    expect(await sqlState(f.db.system(rows([tenant])))).toBe('42501');
    expect(await f.db.withTenant(tenant, rows([tenant]))).toBe(1);
    const foreign = f.db.withTenant(tenant, (tx) =>
      store.append({ ...tx, tenantId: other }, topic, [identified(newId(), newId(), 0)]),
    );
    expect(await sqlState(foreign)).toBe('42501');
  });

  it('tells whoever watches that the guard has fired, and only then', async () => {
    let fired = 0;
    const db = new Database(createDataSource({ url: f.database.appUrl, poolSize: 1 }), {
      isolationGuardFired: () => void (fired += 1),
    });
    const insert = (tx: Tx, of: string) => tx.execute(`insert into note (tenant_id, id) values ($1, $2)`, [of, newId()]);
    await db.withTenant(tenant, (tx) => insert(tx, tenant));
    await expect(db.withTenant(tenant, () => Promise.reject(new Error('another failure')))).rejects.toThrow();
    expect(fired).toBe(0);
    await expect(db.withTenant(tenant, (tx) => insert(tx, other))).rejects.toThrow();
    expect(fired).toBe(1);
    await db.close();
  });

  it('lets nobody change or remove an event: by right for the application, by trigger for the owner', async () => {
    for (const sql of ['update events set type = type', 'delete from events', 'truncate events']) {
      expect(await sqlState(f.db.withTenant(tenant, (tx) => tx.execute(sql)))).toBe('42501');
      expect(await sqlState(f.owner.withTenant(tenant, (tx) => tx.execute(sql)))).toBe('CE405');
    }
    // nor may the application say that something was published
    const publish = f.db.withTenant(tenant, (tx) =>
      tx.execute('update key_head set published_version = last_version, dirty_since = null'),
    );
    expect(await sqlState(publish)).toBe('42501');
  });

  it('lets the relay see all tenants and move heads, and nothing else', async () => {
    await f.db.withTenant(other, (tx) => store.append(tx, topic, [identified(newId(), newId(), 0)]));
    const client = new pg.Client({ connectionString: f.database.relayUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ tenant_id: string }>('select distinct tenant_id from events');
      expect(rows.map((row) => row.tenant_id).sort()).toEqual([tenant, other].sort());
      for (const sql of [
        `insert into events select * from events`,
        `update key_head set last_version = last_version + 1`,
        `select * from command`,
        `select * from parked_record`,
        `delete from key_head`,
      ])
        expect(await sqlState(client.query(sql))).toBe('42501');
    } finally {
      await client.end();
    }
  });

  it('lets no value of a row or parameter out with an error', async () => {
    const canary = '+15550104477';
    const insert = `insert into note (tenant_id, id, phone) values ($1, $2, $3)`;
    const id = newId();
    await f.db.withTenant(tenant, (tx) => tx.execute(insert, [tenant, id, canary]));
    const failures = [
      f.db.withTenant(tenant, (tx) => tx.execute(insert, [tenant, id, canary])),
      f.db.withTenant(tenant, (tx) => tx.execute(insert, [tenant, canary, canary])),
      f.db.withTenant(tenant, (tx) => tx.execute(`insert into note (tenant_id, phone) values ($1, $2)`, [tenant, canary])),
      f.db.withTenant(tenant, (tx) => tx.query(`select $1::int, * from nowhere`, [canary])),
    ];
    for (const failure of failures) {
      const error = await failure.then(
        () => null,
        (thrown: Error) => thrown,
      );
      expect(error?.name).toBe('PlatformError');
      expect(inspect(error, { depth: 10 }) + JSON.stringify(error)).not.toContain(canary.slice(1));
    }
  });

  it('lives on after the server has ended its connections, idle ones and one in the middle of a transaction', async () => {
    const end = (): Promise<unknown> =>
      f.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = $1`, [`${f.database.name}_app`]);
    const code = (error: unknown): unknown => (error as { code?: string }).code;
    await f.db.system((tx) => tx.query('select 1'));
    await end();
    await f.db.system((tx) => tx.query('select 1')).catch((error: unknown) => expect(code(error)).toBe('DATABASE_UNAVAILABLE'));
    const torn = f.db.withTenant(tenant, async (tx) => {
      await tx.execute(`insert into note (tenant_id, id) values ($1, $2)`, [tenant, stream]);
      await end();
      await tx.query('select 1');
    });
    expect(await torn.catch(code)).toBe('DATABASE_UNAVAILABLE');
    const rows = await f.db.withTenant(tenant, (tx) => tx.query(`select 1 from note where id = $1`, [stream]));
    expect(rows).toEqual([]);
  });

  it('commits nothing, and says so, when the failure of a statement was swallowed', async () => {
    const [lost, kept] = [newId(), newId()];
    const insert = (tx: Tx, id: string): Promise<number> =>
      tx.execute(`insert into note (tenant_id, id) values ($1, $2)`, [tenant, id]);
    const careless = f.db.withTenant(tenant, async (tx) => {
      await insert(tx, lost);
      await tx.query('select 1 / 0').catch(() => undefined);
    });
    await expect(careless).rejects.toMatchObject({ code: 'INTERNAL' });
    // with a savepoint it is allowed
    await f.db.withTenant(tenant, async (tx) => {
      await insert(tx, kept);
      await tx.query('savepoint risky');
      await tx.query('select 1 / 0').catch(() => undefined);
      await tx.query('rollback to savepoint risky');
    });
    const rows = await f.db.withTenant(tenant, (tx) =>
      tx.query<{ id: string }>(`select id from note where id = any ($1)`, [[lost, kept]]),
    );
    expect(rows).toEqual([{ id: kept }]);
  });

  it('says that the database cannot be reached as an error that passes', async () => {
    const url = new URL(f.database.appUrl);
    url.port = '1';
    const nowhere = new Database(createDataSource({ url: url.href }));
    await expect(nowhere.system((tx) => tx.query('select 1'))).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      retryable: true,
    });
  });

  it('never falls back to a connection in clear when its address asks for TLS', async () => {
    const url = new URL(f.database.appUrl);
    url.searchParams.set('sslmode', 'verify-full');
    // The test server speaks no TLS: whoever ignored the parameter would get through.
    const sut = new Database(createDataSource({ url: url.href }));
    await expect(sut.system((tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await sut.close();
  });
});
