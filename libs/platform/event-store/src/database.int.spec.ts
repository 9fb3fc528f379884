import { lastWordAfter } from '@centralita/testing-engines';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource, Database } from './database.js';
import { fixture, newId, type Fixture } from './support.spec.js';

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
