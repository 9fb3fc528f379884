import { describe, expect, it } from '@jest/globals';
import type { SystemTx } from '@centralita/event-store';
import type { FastifyRequest } from 'fastify';
import { Sessions, sessionCookieName } from './sessions.js';

const config = { SESSION_SECRET: 'x'.repeat(32), SESSION_HOURS: 1, PUBLIC_URL: 'http://127.0.0.1:1' };
const request = (id = 'a'.repeat(43)): FastifyRequest =>
  ({ cookies: { [sessionCookieName(config)]: id } }) as Partial<FastifyRequest> as FastifyRequest;

/** A table with one row that can be taken away, and answers that can be held back. */
const startTable = (expiresAt = new Date(3_600_000)) => {
  const table = { rows: 1, asked: 0, hold: Promise.resolve() };
  const row = { reference: 'r', tenant_id: 't', actor_id: 'a', label: 'l', roles: ['agent'], expires_at: expiresAt };
  const tx = {
    query: async () => {
      table.asked += 1;
      const found = Array.from({ length: table.rows }, () => row);
      await table.hold;
      return found;
    },
    execute: async () => (table.rows = 0),
  } as unknown as SystemTx;
  return { table, db: { system: <T>(work: (tx: SystemTx) => Promise<T>): Promise<T> => work(tx) } };
};

describe('a session that many calls use', () => {
  it('is read once, also by those that come together', async () => {
    const { table, db } = startTable();
    const sut = new Sessions(db, config, () => new Date(0));
    const found = await Promise.all([1, 2, 3].map(() => sut.require(request())));
    expect(found.map(({ actorId }) => actorId)).toEqual(['a', 'a', 'a']);
    await sut.require(request());
    expect(table.asked).toBe(1);
  });

  it('ends at once with signing out, whatever was read before', async () => {
    const { table, db } = startTable();
    const sut = new Sessions(db, config, () => new Date(0));
    const held = Promise.withResolvers<undefined>();
    table.hold = held.promise.then(() => undefined);
    // given an answer that is on its way with a row that was still there
    const early = sut.find(request());
    // when the session is ended before it arrives
    await sut.close(request());
    held.resolve(undefined);
    await early;
    // then it opens nothing any more
    expect(await sut.find(request())).toBeNull();
  });

  it('ends at its time, though it was read before', async () => {
    let now = 0;
    const { db } = startTable(new Date(1000));
    const sut = new Sessions(db, config, () => new Date(now));
    expect(await sut.find(request())).not.toBeNull();
    now = 1000;
    expect(await sut.find(request())).toBeNull();
  });

  it('is looked for again after a refusal and after a failure', async () => {
    const { table, db } = startTable();
    table.rows = 0;
    const sut = new Sessions(db, config, () => new Date(0));
    expect(await sut.find(request())).toBeNull();
    table.rows = 1;
    table.hold = Promise.reject(new Error('gone'));
    await expect(sut.find(request())).rejects.toThrow('gone');
    table.hold = Promise.resolve();
    expect(await sut.find(request())).not.toBeNull();
  });
});
