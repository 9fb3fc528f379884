import { lastWordAfter } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { createDataSource, Database } from './database.js';
import { tenantTable } from './schema/tenant-table.js';
import { fixture, newId, type Fixture } from './support.spec.js';
import type { Tx } from './types.js';

describe('a database whose server ends', () => {
  let f: Fixture;
  beforeAll(async () => {
    f = await fixture();
  });
  afterAll(() => f.end());

  // TypeORM connects and asks for the version by itself: the first answers are that.
  it.each([1, 2, 3, 4, 5, 6])(
    'says so to who asks, and does not end the process, when it is heard with answer %i',
    async (nth) => {
      const way = await lastWordAfter(f.database.appUrl, nth);
      const db = new Database(createDataSource({ url: way.url, poolSize: 1 }));
      try {
        const ask = () => db.withTenant(newId(), (tx) => tx.query('select 1 as one'));
        const retryable = { code: 'DATABASE_UNAVAILABLE' };
        for (let asked = 0; asked < 3; asked += 1) await ask().catch((error: unknown) => expect(error).toMatchObject(retryable));
      } finally {
        await db.close();
        await way.close();
      }
    },
  );
});

describe('a handle that is closed', () => {
  let f: Fixture;
  beforeAll(async () => {
    f = await fixture();
  });
  afterAll(() => f.end());

  it('opens nothing again for who still asks: before its first use, and after it', async () => {
    const applicationName = `closed-${newId()}`;
    const ask = (db: Database) => db.system((tx) => tx.query('select 1 as one'));
    const [unused, used] = [1, 2].map(
      () => new Database(createDataSource({ url: f.database.appUrl, poolSize: 1, applicationName })),
    );
    if (!unused || !used) throw new RangeError('two handles were asked for');
    expect(await ask(used)).toEqual([{ one: 1 }]);
    for (const db of [unused, used]) {
      await db.close();
      await expect(ask(db)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
    const left = await f.db.system((tx) =>
      tx.query('select pid from pg_stat_activity where application_name = $1', [applicationName]),
    );
    expect(left).toEqual([]);
  });
});

describe('statements on their way', () => {
  let f: Fixture;
  const tenant = newId();
  const insert = 'insert into note (tenant_id, id) values ($1, $2)';
  const wrong = ['insert into note (tenant_id, id) values ($1, null)', [tenant]] as const;
  const notNull = { code: 'INTERNAL', details: { sqlState: '23502' } };
  const notes = (): Promise<number> => f.db.withTenant(tenant, async (tx) => (await tx.query('select id from note')).length);
  const doing = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> => f.db.withTenant(tenant, work);

  beforeAll(async () => {
    f = await fixture({
      poolSize: 1,
      tables: (owner) =>
        owner.system(async (tx) => {
          await tx.query(`create table note (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))`);
          for (const statement of tenantTable('note')) await tx.query(statement);
        }),
    });
  });
  afterAll(() => f.end());

  it('are kept with the commit, in the order in which they were made', async () => {
    const id = newId();
    await doing(async (tx) => {
      tx.post(insert, [tenant, id]);
      expect(await tx.query('select id from note where id = $1', [id])).toEqual([{ id }]);
      tx.post('delete from note where id = $1', [id]);
      tx.post(insert, [tenant, id]);
    });
    expect(await notes()).toBe(1);
  });

  it('are told by what is made behind them, at the latest by the commit, and then nothing is kept', async () => {
    const before = await notes();
    const saidBy: string[] = [];
    const behind = doing(async (tx) => {
      tx.post(insert, [tenant, newId()]);
      tx.post(...wrong);
      await tx.query('select 1 as one').catch((error: unknown) => {
        saidBy.push('the next statement');
        throw error;
      });
    });
    await expect(behind).rejects.toMatchObject(notNull);
    const last = doing(async (tx) => {
      tx.post(insert, [tenant, newId()]);
      tx.post(...wrong);
    });
    await expect(last).rejects.toMatchObject(notNull);
    expect([saidBy, await notes()]).toEqual([['the next statement'], before]);
  });

  it('lose nothing in silence when one failed and nobody minded', async () => {
    const before = await notes();
    const ignored = doing(async (tx) => {
      tx.post(insert, [tenant, newId()]);
      await tx.query(...wrong).catch(() => undefined);
    });
    await expect(ignored).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await notes()).toBe(before);
  });

  it('are forgotten when they are rolled back to a savepoint', async () => {
    const before = await notes();
    await doing(async (tx) => {
      await tx.query('savepoint s');
      tx.post(...wrong);
      await expect(tx.query('release savepoint s')).rejects.toMatchObject(notNull);
      await tx.query('rollback to savepoint s');
      tx.post(insert, [tenant, newId()]);
    });
    expect(await notes()).toBe(before + 1);
  });

  it('do nothing when the transaction alone could not begin', async () => {
    const before = await notes();
    const real = pg.Client.prototype.query as (...given: unknown[]) => unknown;
    const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
      const [statement] = given as [{ text?: string }];
      const begins = statement.text?.startsWith('start transaction') ?? false;
      return real.call(this, begins ? { text: 'start nothing' } : statement) as void;
    });
    try {
      const posted = doing(async (tx) => tx.post(insert, [tenant, newId()]));
      await expect(posted).rejects.toMatchObject({ details: { sqlState: '42601' } });
      const waited = doing((tx) => tx.execute(insert, [tenant, newId()]));
      await expect(waited).rejects.toMatchObject({ details: { sqlState: '42601' } });
    } finally {
      spy.mockRestore();
    }
    expect(await notes()).toBe(before);
  });
});
